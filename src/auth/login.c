/* SPDX-License-Identifier: Apache-2.0 */
/* The chain of ways to log in. Each way says whether the rules ask for it; the first one that is
 * asked for decides. Users, nkeys and JWT become further rows, ahead of these. Pure functions. */
#include "auth/login.h"

#include <crypt.h>
#include <sodium.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/mem.h"
#include "base/str.h"

#define BCRYPT_TEXT_BYTES 60

struct login_method {
    bool (*is_asked)(const struct login_rules *rules);
    bool (*check)(const struct login_rules *rules, const struct login *login);
};

static bool is_set(const char *z)
{
    return z && z[0];
}

/* Does the password have this bcrypt hash? Of a long one the first 72 bytes count. */
static bool has_bcrypt_hash(struct str given, const char *wanted)
{
    struct crypt_data *data = mem_zalloc(sizeof(*data));
    char *phrase = mem_strndup(given.p, given.n);
    const char *got = crypt_r(phrase, wanted, data);
    bool is_same = got && got[0] != '*' && sodium_memcmp(got, wanted, BCRYPT_TEXT_BYTES) == 0;

    sodium_memzero(phrase, given.n);
    mem_free(phrase);
    mem_free(data);
    return is_same;
}

/* Compares digests: neither length nor content of `wanted` shows in the time taken. */
static bool is_secret(struct str given, const char *wanted)
{
    if (login_is_bcrypt(wanted)) {
        return has_bcrypt_hash(given, wanted);
    }
    unsigned char a[crypto_generichash_BYTES];
    unsigned char b[crypto_generichash_BYTES];
    struct str w = str_of(wanted);

    crypto_generichash(a, sizeof(a), (const unsigned char *)given.p, given.n, NULL, 0);
    crypto_generichash(b, sizeof(b), (const unsigned char *)w.p, w.n, NULL, 0);
    return sodium_memcmp(a, b, sizeof(a)) == 0;
}

static bool asks_token(const struct login_rules *rules)
{
    return is_set(rules->token);
}

static bool check_token(const struct login_rules *rules, const struct login *login)
{
    return is_secret(login->token, rules->token);
}

static bool asks_user(const struct login_rules *rules)
{
    return is_set(rules->user);
}

static bool check_user(const struct login_rules *rules, const struct login *login)
{
    bool is_user = is_secret(login->user, rules->user);
    bool is_pass = is_secret(login->pass, rules->pass);

    return is_user && is_pass;
}

static const struct login_method methods[] = {
    {asks_token, check_token},
    {asks_user, check_user},
};

static const struct login_method *find_method(const struct login_rules *rules)
{
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        if (methods[i].is_asked(rules)) {
            return &methods[i];
        }
    }
    return NULL;
}

bool login_is_required(const struct login_rules *rules)
{
    return find_method(rules) != NULL;
}

bool login_check(const struct login_rules *rules, const struct login *login)
{
    const struct login_method *method = find_method(rules);

    return !method || method->check(rules, login);
}

bool login_is_costly(const struct login_rules *rules)
{
    return login_is_bcrypt(rules->pass) || login_is_bcrypt(rules->token);
}

bool login_has_plain_password(const struct login_rules *rules)
{
    return is_set(rules->pass) && !login_is_bcrypt(rules->pass);
}

bool login_is_bcrypt(const char *secret)
{
    struct str s = str_of(secret);

    return s.n == BCRYPT_TEXT_BYTES && s.p[0] == '$' && s.p[1] == '2' && s.p[3] == '$' &&
           s.p[6] == '$';
}
