/* Any bytes as a request to the admin port. The verdict comes with the end of the head, whatever stands
 * behind it, and its slices lie in it; and a Host that is answered without a list is the loopback. */
#include "fuzz.h"

#include "admin/admin_hosts.h"
#include "admin/admin_request.h"

static void require_inside(slice part, const char *bytes, size_t len)
{
    REQUIRE(part.len == 0 || (part.data >= bytes && part.data + part.len <= bytes + len) ||
            slice_equals(part, SLICE_LITERAL("/")));
}

static void require_loopback(slice host)
{
    const admin_host_rules rules = {.own = SLICE_LITERAL("localhost")};
    const address unknown = {0};
    if (!admin_hosts_allow(&rules, host, &unknown))
        return;
    address found;
    if (address_parse(host, &found)) {
        REQUIRE(address_is_loopback(&found));
        return;
    }
    const slice name = SLICE_LITERAL("localhost");
    REQUIRE(host.len >= name.len);
    host = slice_take_until(&host, ':');
    if (host.len > 0 && host.data[host.len - 1] == '.')
        host.len--;
    REQUIRE(host.len >= name.len);
    REQUIRE(slice_equals_in_any_case((slice){host.data + host.len - name.len, name.len}, name));
    REQUIRE(host.len == name.len || host.data[host.len - name.len - 1] == '.');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = fuzz_copy(data, size);
    admin_request whole;
    if (admin_request_parse((slice){bytes, size}, &whole) && whole.fault == 0) {
        REQUIRE(whole.len > 0 && whole.len <= size && whole.len <= ADMIN_REQUEST_MAX_HEAD);
        REQUIRE(bytes[whole.len - 1] == '\n');
        require_inside(whole.host, bytes, whole.len);
        require_inside(whole.path, bytes, whole.len);
        require_inside(whole.accept, bytes, whole.len);
        admin_request alone;
        REQUIRE(admin_request_parse((slice){bytes, whole.len}, &alone));
        REQUIRE(alone.fault == 0 && alone.len == whole.len);
        REQUIRE(!admin_request_parse((slice){bytes, whole.len - 1}, &alone));
        require_loopback(whole.host);
    }
    require_loopback((slice){bytes, size});
    free(bytes);
    return 0;
}
