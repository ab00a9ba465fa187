/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target on files, and on all files of directories: so that what fuzzing once found is
 * a unit test with any compiler. Each input lies in a block of just its size: sanitizers see
 * over-reads. */
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "base/mem.h"
#include "fuzz.h"

static void run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct stat st;
    uint8_t *data;

    ENSURE(f && fstat(fileno(f), &st) == 0);
    data = mem_alloc((size_t)st.st_size);
    ENSURE(fread(data, 1, (size_t)st.st_size, f) == (size_t)st.st_size);
    (void)fclose(f);
    LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
    mem_free(data);
}

static unsigned run_path(const char *path)
{
    DIR *dir = opendir(path);
    unsigned n = 0;

    if (!dir) {
        run_file(path);
        return 1;
    }
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        char file[4096];

        if (e->d_name[0] != '.') {
            snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
            run_file(file);
            n++;
        }
    }
    closedir(dir);
    return n;
}

int main(int argc, char **argv)
{
    unsigned n = 0;

    for (int i = 1; i < argc; i++) {
        n += run_path(argv[i]);
    }
    printf("%u inputs\n", n);
    return n ? 0 : 1;
}
