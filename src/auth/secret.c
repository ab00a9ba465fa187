/* SPDX-License-Identifier: Apache-2.0 */
/* Plain secrets are compared by their digests, bcrypt hashes by libcrypt. */
#include "auth/secret.h"

#include <crypt.h>
#include <sodium.h>
#include <stddef.h>

#include "base/mem.h"

bool secret_is_bcrypt(const char *wanted)
{
    struct str s = str_of(wanted);

    return s.n > 7 && s.p[0] == '$' && s.p[1] == '2' && strchr("abxy", s.p[2]) && s.p[3] == '$' &&
           s.p[4] >= '0' && s.p[4] <= '9' && s.p[5] >= '0' && s.p[5] <= '9' && s.p[6] == '$';
}

/* The letter tells apart the bugs of programs that made hashes; the reference takes all alike. Of a
 * long password the first 72 bytes count. */
static bool has_bcrypt_hash(struct str given, const char *wanted)
{
    struct crypt_data *data = mem_zalloc(sizeof(*data));
    char *phrase = mem_strndup(given.p, given.n);
    char *hash = mem_strndup(wanted, strlen(wanted));

    hash[2] = 'b';
    const char *got = crypt_r(phrase, hash, data);
    bool is_same = got && got[0] != '*' && strlen(got) == strlen(hash) &&
                   sodium_memcmp(got, hash, strlen(hash)) == 0;
    sodium_memzero(phrase, given.n);
    mem_free(phrase);
    mem_free(hash);
    mem_free(data);
    return is_same;
}

bool secret_is(struct str given, const char *wanted)
{
    unsigned char a[crypto_generichash_BYTES];
    unsigned char b[crypto_generichash_BYTES];
    struct str w = str_of(wanted);

    if (secret_is_bcrypt(wanted)) {
        return has_bcrypt_hash(given, wanted);
    }
    crypto_generichash(a, sizeof(a), (const unsigned char *)given.p, given.n, NULL, 0);
    crypto_generichash(b, sizeof(b), (const unsigned char *)w.p, w.n, NULL, 0);
    return sodium_memcmp(a, b, sizeof(a)) == 0;
}
