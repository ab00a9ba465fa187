/* SPDX-License-Identifier: Apache-2.0 */
/* Nkey texts: base32 (RFC 4648, no padding) of prefix byte, key, and CRC-16/XMODEM in little-endian
 * order: 35 bytes, which are exactly 56 characters. Pure functions but for the drawing of keys. */
#include "auth/nkey.h"

#include <assert.h>
#include <sodium.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"
#include "base/base62.h"
#include "base/status.h"
#include "base/str.h"

#define RAW_BYTES (1 + NKEY_KEY_BYTES + 2)

static_assert(RAW_BYTES * 8 == NKEY_TEXT_LENGTH * 5, "no bits are left over");
static_assert(sizeof(((struct nkey_server *)0)->sign_secret) == crypto_sign_SECRETKEYBYTES, "");
static_assert(NKEY_KEY_BYTES == crypto_sign_PUBLICKEYBYTES &&
                  NKEY_KEY_BYTES == crypto_box_PUBLICKEYBYTES &&
                  NKEY_KEY_BYTES == crypto_box_SECRETKEYBYTES,
              "");

static uint16_t crc16(const uint8_t *p, size_t n)
{
    unsigned crc = 0;

    for (size_t i = 0; i < n; i++) {
        crc ^= (unsigned)p[i] << 8;
        for (int bit = 0; bit < 8; bit++) {
            crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
        }
    }
    return (uint16_t)crc;
}

static void base32_encode(const uint8_t raw[RAW_BYTES], char out[NKEY_TEXT_SIZE])
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    unsigned bits = 0;
    unsigned n_bits = 0;
    size_t at = 0;

    for (size_t i = 0; i < RAW_BYTES; i++) {
        bits = (bits << 8 | raw[i]) & 0xfff;
        n_bits += 8;
        while (n_bits >= 5) {
            n_bits -= 5;
            out[at++] = alphabet[bits >> n_bits & 31];
        }
    }
    out[at] = '\0';
}

static bool base32_decode(struct str text, uint8_t raw[RAW_BYTES])
{
    unsigned bits = 0;
    unsigned n_bits = 0;
    size_t at = 0;

    if (text.n != NKEY_TEXT_LENGTH) {
        return false;
    }
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool is_letter = c >= 'A' && c <= 'Z';

        if (!is_letter && !(c >= '2' && c <= '7')) {
            return false;
        }
        bits = (bits << 5 | (unsigned)(is_letter ? c - 'A' : c - '2' + 26)) & 0xfff;
        n_bits += 5;
        if (n_bits >= 8) {
            n_bits -= 8;
            raw[at++] = (uint8_t)(bits >> n_bits);
        }
    }
    return true;
}

static bool is_public_kind(uint8_t prefix)
{
    switch ((enum nkey_kind)prefix) {
    case NKEY_ACCOUNT:
    case NKEY_CLUSTER:
    case NKEY_SERVER:
    case NKEY_OPERATOR:
    case NKEY_USER:
    case NKEY_CURVE:
        return true;
    }
    return false;
}

void nkey_encode(enum nkey_kind kind, const uint8_t key[NKEY_KEY_BYTES], char out[NKEY_TEXT_SIZE])
{
    uint8_t raw[RAW_BYTES] = {(uint8_t)kind};

    memcpy(raw + 1, key, NKEY_KEY_BYTES);
    uint16_t crc = crc16(raw, RAW_BYTES - 2);
    raw[RAW_BYTES - 2] = (uint8_t)(crc & 0xff);
    raw[RAW_BYTES - 1] = (uint8_t)(crc >> 8);
    base32_encode(raw, out);
}

enum status nkey_decode(struct str text, enum nkey_kind *kind, uint8_t key[NKEY_KEY_BYTES])
{
    uint8_t raw[RAW_BYTES];

    if (!base32_decode(text, raw)) {
        return ST_BAD_VALUE;
    }
    uint16_t crc = crc16(raw, RAW_BYTES - 2);
    if (raw[RAW_BYTES - 2] != (crc & 0xff) || raw[RAW_BYTES - 1] != crc >> 8 ||
        !is_public_kind(raw[0])) {
        return ST_BAD_VALUE;
    }
    *kind = (enum nkey_kind)raw[0];
    memcpy(key, raw + 1, NKEY_KEY_BYTES);
    return ST_OK;
}

bool nkey_is_valid(struct str text, enum nkey_kind kind)
{
    enum nkey_kind found;
    uint8_t key[NKEY_KEY_BYTES];

    return nkey_decode(text, &found, key) == ST_OK && found == kind;
}

void nkey_server_init(struct nkey_server *out)
{
    uint8_t key[NKEY_KEY_BYTES];

    ENSURE(sodium_init() >= 0);
    ENSURE(crypto_sign_keypair(key, out->sign_secret) == 0);
    nkey_encode(NKEY_SERVER, key, out->id);
    ENSURE(crypto_box_keypair(key, out->box_secret) == 0);
    nkey_encode(NKEY_CURVE, key, out->xkey);
}

void nkey_server_deinit(struct nkey_server *who)
{
    sodium_memzero(who->sign_secret, sizeof(who->sign_secret));
    sodium_memzero(who->box_secret, sizeof(who->box_secret));
}

void nkey_hash_name(const char *name, char out[NKEY_NAME_HASH_BYTES + 1])
{
    unsigned char sum[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(sum, (const unsigned char *)name, strlen(name));
    for (size_t i = 0; i < NKEY_NAME_HASH_BYTES; i++) {
        out[i] = base62_digit(sum[i]);
    }
    out[NKEY_NAME_HASH_BYTES] = '\0';
}
