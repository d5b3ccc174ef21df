# Does every selector name metrics and label values that exist?
#
#     awk -f selectors.awk METRICS RULES SELECTORS
#
# METRICS is an answer of /metrics, RULES the rules with their records; SELECTORS has one selector a line, as in
# name{label="value",other=~"one|two"}. Of a regular expression each alternative is looked up, and the values of
# `instance` and `job` are Prometheus' own. Prints what is unknown, and ends with 1 then.

FNR == 1 { file++ }

file == 1 && !/^#/ {
    name = $1
    sub(/[{].*/, "", name)
    known[name] = 1
    samples[name] = samples[name] $1
}

file == 2 && /^ *- record: / { known[$3] = 1 }

file == 3 {
    name = $0
    sub(/[{].*/, "", name)
    if (!(name in known)) {
        complain("no metric " name)
        next
    }
    matchers = substr($0, length(name) + 1)
    while (match(matchers, /[a-z_]+[=!]~?=?"[^"]*"/)) {
        check(name, substr(matchers, RSTART, RLENGTH))
        matchers = substr(matchers, RSTART + RLENGTH)
    }
}

function check(name, matcher,    label, parts, values, count, i) {
    label = matcher
    sub(/[=!].*/, "", label)
    if (label == "instance" || label == "job")
        return
    split(matcher, parts, "\"")
    count = split(parts[2], values, "|")
    for (i = 1; i <= count; i++)
        if (!index(samples[name], label "=\"" values[i] "\""))
            complain("no " label "=\"" values[i] "\" in " name)
}

function complain(text) {
    print text
    failed = 1
}

END { exit failed }
