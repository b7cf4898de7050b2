// A file of a bench, or the end of it.
#pragma once

#include <cstdio>
#include <cstdlib>

inline FILE* open(const char* path, const char* mode) {
    FILE* file = std::fopen(path, mode);
    if (file == nullptr) {
        std::perror(path);
        std::exit(1);
    }
    return file;
}
