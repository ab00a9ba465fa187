/* SPDX-License-Identifier: Apache-2.0 */
/* Nkeys: public keys as text. One prefix byte that says what kind of key it is, 32 bytes of key, a
 * CRC of both; in base32, so that the first letter shows the kind. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/status.h"
#include "base/str.h"

#define NKEY_TEXT_LENGTH 56
#define NKEY_TEXT_SIZE (NKEY_TEXT_LENGTH + 1) // with NUL
#define NKEY_KEY_BYTES 32

/** Kinds of public keys: the prefix byte, of which the first letter of the text is the upper
 * bits. */
enum nkey_kind {
    NKEY_ACCOUNT = 0 << 3,   // A…
    NKEY_CLUSTER = 2 << 3,   // C…
    NKEY_SERVER = 13 << 3,   // N…
    NKEY_OPERATOR = 14 << 3, // O…
    NKEY_USER = 20 << 3,     // U…
    NKEY_CURVE = 23 << 3,    // X…
};

/** Who a server is: two key pairs, drawn at each start and never stored. */
struct nkey_server {
    char id[NKEY_TEXT_SIZE];            // public, Ed25519: "N…"
    char xkey[NKEY_TEXT_SIZE];          // public, x25519: "X…"
    uint8_t sign_secret[64];            // signs as id (libsodium's form: seed and public key)
    uint8_t box_secret[NKEY_KEY_BYTES]; // opens what was sealed for xkey
};

/**
 * Write a public key as text.
 * @param out  NUL-terminated
 * Thread: any.
 */
void nkey_encode(enum nkey_kind kind, const uint8_t key[NKEY_KEY_BYTES], char out[NKEY_TEXT_SIZE]);

/**
 * Read a public key of any kind.
 * @return  ST_BAD_VALUE: wrong length, alphabet or CRC, or an unknown kind
 * Thread: any.
 */
MUST_USE enum status nkey_decode(struct str text, enum nkey_kind *kind,
                                 uint8_t key[NKEY_KEY_BYTES]);

/**
 * @return  whether text is a public key of this kind
 * Thread: any.
 */
bool nkey_is_valid(struct str text, enum nkey_kind kind);

/**
 * Draw a new identity. The first call prepares libsodium, so it comes before other threads use it.
 * @param out  wipe the secrets with nkey_server_deinit
 * Thread: control.
 */
void nkey_server_init(struct nkey_server *out);

/** Characters in a hash of a name, without the NUL. */
#define NKEY_NAME_HASH_BYTES 8

/** Hash the name of a server as subjects have it (spec 05 §9). Thread: any. */
void nkey_hash_name(const char *name, char out[NKEY_NAME_HASH_BYTES + 1]);

/** Wipe the secrets. Thread: control. */
void nkey_server_deinit(struct nkey_server *who);
