/* SPDX-License-Identifier: Apache-2.0 */
/* Nkeys: known texts, what is refused, and the identity of a server. */
#include "auth/nkey.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <string.h>

/* ids and xkey that a nats-server 2.15.1 printed */
static const char *const known_servers[] = {
    "NDJTDQM6F6KLFY2WORRDDTS7ZS5NVARVGCRNMJYTHYQSOMQD6TSZFZED",
    "NB2QWJTBDJHD3A45IBI3WW3RQSAXXKLZRCKWE4MMHRZKJB55JKKWOFSS",
};

static void test_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(known_servers); i++) {
        enum nkey_kind kind;
        uint8_t key[NKEY_KEY_BYTES];
        char text[NKEY_TEXT_SIZE];

        assert_int_equal(nkey_decode(str_of(known_servers[i]), &kind, key), ST_OK);
        assert_int_equal(kind, NKEY_SERVER);
        nkey_encode(kind, key, text);
        assert_string_equal(text, known_servers[i]);
        assert_true(nkey_is_valid(str_of(text), NKEY_SERVER));
        assert_false(nkey_is_valid(str_of(text), NKEY_USER));
    }
}

static void test_letters(void **state)
{
    static const struct {
        enum nkey_kind kind;
        char letter;
    } rows[] = {{NKEY_ACCOUNT, 'A'},  {NKEY_CLUSTER, 'C'}, {NKEY_SERVER, 'N'},
                {NKEY_OPERATOR, 'O'}, {NKEY_USER, 'U'},    {NKEY_CURVE, 'X'}};
    uint8_t key[NKEY_KEY_BYTES];

    (void)state;
    memset(key, 0xa5, sizeof(key));
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char text[NKEY_TEXT_SIZE];
        enum nkey_kind kind;
        uint8_t back[NKEY_KEY_BYTES];

        nkey_encode(rows[i].kind, key, text);
        assert_int_equal(strlen(text), NKEY_TEXT_LENGTH);
        assert_int_equal(text[0], rows[i].letter);
        assert_int_equal(nkey_decode(str_of(text), &kind, back), ST_OK);
        assert_int_equal(kind, rows[i].kind);
        assert_memory_equal(key, back, sizeof(key));
    }
}

static void test_refused(void **state)
{
    char text[NKEY_TEXT_SIZE];
    uint8_t key[NKEY_KEY_BYTES] = {0};
    enum nkey_kind kind;

    (void)state;
    assert_int_equal(nkey_decode(STR(""), &kind, key), ST_BAD_VALUE);
    for (size_t i = 0; i < NKEY_TEXT_LENGTH; i++) { // one letter changed
        memcpy(text, known_servers[0], sizeof(text));
        text[i] = text[i] == 'A' ? 'B' : 'A';
        assert_int_equal(nkey_decode(str_of(text), &kind, key), ST_BAD_VALUE);
    }
    memcpy(text, known_servers[0], sizeof(text));
    text[5] = (char)(text[5] | 0x20); // lower case
    assert_int_equal(nkey_decode(str_of(text), &kind, key), ST_BAD_VALUE);
    assert_int_equal(nkey_decode((struct str){known_servers[0], 55}, &kind, key), ST_BAD_VALUE);
    nkey_encode((enum nkey_kind)(18 << 3), key, text); // good, but the prefix of a seed
    assert_int_equal(nkey_decode(str_of(text), &kind, key), ST_BAD_VALUE);
}

static void test_server(void **state)
{
    struct nkey_server a;
    struct nkey_server b;
    uint8_t key[NKEY_KEY_BYTES];
    uint8_t again[NKEY_KEY_BYTES];
    unsigned char signature[crypto_sign_BYTES];
    enum nkey_kind kind;

    (void)state;
    nkey_server_init(&a);
    nkey_server_init(&b);
    assert_true(nkey_is_valid(str_of(a.id), NKEY_SERVER));
    assert_true(nkey_is_valid(str_of(a.xkey), NKEY_CURVE));
    assert_string_not_equal(a.id, b.id);
    assert_string_not_equal(a.xkey, b.xkey);

    assert_int_equal(nkey_decode(str_of(a.id), &kind, key), ST_OK);
    crypto_sign_detached(signature, NULL, (const unsigned char *)"text", 4, a.sign_secret);
    assert_int_equal(crypto_sign_verify_detached(signature, (const unsigned char *)"text", 4, key),
                     0);

    assert_int_equal(nkey_decode(str_of(a.xkey), &kind, key), ST_OK);
    assert_int_equal(crypto_scalarmult_base(again, a.box_secret), 0);
    assert_memory_equal(key, again, sizeof(key));

    nkey_server_deinit(&a);
    nkey_server_deinit(&b);
    assert_true(sodium_is_zero(a.sign_secret, sizeof(a.sign_secret)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_letters),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_server),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
