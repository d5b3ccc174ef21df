#include "top/top_arguments.h"

const argument top_arguments[] = {
    {"--interval", NULL, "SECONDS", "time between two updates, 0.1 to 60; default 1"},
    {"--count", NULL, "N", "print text for N intervals, and end"},
    {"--once", NULL, NULL, "the same as --count 1"},
    {"--help", "-h", NULL, "show this text, and end"},
    {0},
};

const size_t top_argument_count = sizeof(top_arguments) / sizeof(top_arguments[0]) - 1;
