/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a configuration. Whatever it is, it is read or there is a message; and the same is read
 * when it comes twice. Files that it includes are looked for where there can be none. */
#include "base/attr.h"
#include "conf/parse.h"
#include "fuzz.h"

#define PATH "/dev/null/fuzz.conf"

static enum status read_twice(struct str text, char digest[CONF_DIGEST_MAX], struct diag *d)
{
    char again[CONF_DIGEST_MAX];
    struct conf_tree tree;
    enum status st = ST_OK;

    for (int i = 0; i < 2; i++) {
        st = conf_parse_text(PATH, text, &tree, d);
        if (st == ST_OK) {
            conf_digest(tree.root, i == 0 ? digest : again);
        }
        conf_tree_deinit(&tree);
    }
    ENSURE(st != ST_OK || strcmp(digest, again) == 0);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str text = {.p = (const char *)data, .n = n};
    char digest[CONF_DIGEST_MAX];
    struct diag d = {0};
    enum status st = read_twice(text, digest, &d);

    ENSURE((st == ST_OK) == (d.n_errors == 0));
    diag_deinit(&d);
    return 0;
}
