#include "base/host_name.h"

#include "base/ascii.h"

#include <assert.h>

/* RFC 1035, 2.3.4: as text, without the root's dot. */
enum { LONGEST_NAME = 253, LONGEST_LABEL = 63 };

static_assert(LONGEST_NAME + sizeof(".") == HOST_NAME_CAP, "a dot and a NUL may stand behind it");

static bool is_of_label(char c)
{
    return ascii_is_letter(c) || ascii_is_digit(c) || c == '-' || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_label(slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_of_label(text.data[i]))
            return false;
    }
    return text.len > 0 && text.len <= LONGEST_LABEL;
}

/* As inet_aton() and browsers read the last part of an IPv4 address: in digits, or in hexadecimal ones behind
 * 0x, of which there may be none. */
static bool is_number(slice label)
{
    bool is_hexadecimal = label.len >= 2 && label.data[0] == '0' && ascii_lower(label.data[1]) == 'x';
    for (size_t i = is_hexadecimal ? 2 : 0; i < label.len; i++) {
        char c = ascii_lower(label.data[i]);
        if (!ascii_is_digit(c) && !(is_hexadecimal && c >= 'a' && c <= 'f'))
            return false;
    }
    return true;
}

bool host_name_is_good(slice text)
{
    if (text.len > 0 && text.data[text.len - 1] == '.') /* the root's */
        text.len--;
    if (text.len == 0 || text.len > LONGEST_NAME || text.data[text.len - 1] == '.')
        return false;
    slice label = {0};
    while (text.len > 0) {
        label = slice_take_until(&text, '.');
        if (!is_label(label))
            return false;
    }
    return !is_number(label);
}

bool host_name_is_ascii(slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] >= 0x80)
            return false;
    }
    return true;
}
