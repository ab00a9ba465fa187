/* SPDX-License-Identifier: Apache-2.0 */
/* Input: an nkey, or a prefix byte and a key. What is read is written as the same text, and the
 * other way round; no text with one other character is read. */
#include "auth/nkey.h"

#include <string.h>

#include "base/attr.h"
#include "fuzz.h"

static void check_neighbours(const char *text, size_t at)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567=a1";
    uint8_t key[NKEY_KEY_BYTES];
    enum nkey_kind kind;
    char other[NKEY_TEXT_SIZE];

    memcpy(other, text, sizeof(other));
    for (const char *c = alphabet; *c; c++) {
        other[at] = *c;
        ENSURE(*c == text[at] || nkey_decode(str_of(other), &kind, key) != ST_OK);
    }
}

static void check_text(struct str text)
{
    uint8_t key[NKEY_KEY_BYTES];
    char again[NKEY_TEXT_SIZE];
    enum nkey_kind kind;

    if (nkey_decode(text, &kind, key) == ST_OK) {
        nkey_encode(kind, key, again);
        ENSURE(str_equal(str_of(again), text));
        ENSURE(nkey_is_valid(text, kind));
        check_neighbours(again, key[0] % NKEY_TEXT_LENGTH);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char text[NKEY_TEXT_SIZE];

    check_text((struct str){.p = (const char *)data, .n = n});
    if (n > NKEY_KEY_BYTES) {
        nkey_encode((enum nkey_kind)data[0], data + 1, text);
        check_text(str_of(text));
    }
    return 0;
}
