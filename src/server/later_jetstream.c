/* SPDX-License-Identifier: Apache-2.0 */
/* Options of JetStream (spec 03 D6). */
#include <string.h>

#include "base/diag.h"
#include "server/later_priv.h"

#define NEVER_MORE INT64_MAX

/* Whether a text is a decimal integer, with a sign perhaps. */
static bool is_integer(struct str s)
{
    size_t n_sign = s.n && strchr("+-", s.p[0]) ? 1 : 0;

    for (size_t i = n_sign; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') {
            return false;
        }
    }
    return s.n > n_sign && s.n < 20;
}

/* An integer, or a text as "10G". */
static enum status check_size(const char *name, const struct node *value, struct option_reader *r)
{
    struct str text = value->text;

    if (value->kind == NODE_INT || (value->kind == NODE_STR && !text.n)) {
        return ST_OK;
    }
    if (value->kind != NODE_STR) {
        diag_error(r->d, &value->at, "%s must be int64 or string", name);
        return ST_FAILED;
    }
    struct str number = {.p = text.p, .n = text.n - 1};
    if (!is_integer(number)) {
        diag_error(r->d, &value->at, "%s strconv.ParseInt: parsing \"%.*s\": invalid syntax", name,
                   STR_ARG(number));
        return ST_FAILED;
    }
    if (!memchr("KMGT", text.p[number.n], 4)) {
        diag_error(r->d, &value->at, "%s sizes defined as strings must end in K, M, G, T", name);
        return ST_FAILED;
    }
    return ST_OK;
}

static enum status check_memory(void *base, const struct node *value, struct option_reader *r)
{
    (void)base;
    return check_size("max_mem_store", value, r);
}

static enum status check_file(void *base, const struct node *value, struct option_reader *r)
{
    (void)base;
    return check_size("max_file_store", value, r);
}

static enum status check_catchup(void *base, const struct node *value, struct option_reader *r)
{
    (void)base;
    return check_size("max_outstanding_catchup", value, r);
}

static enum status check_buffered(void *base, const struct node *value, struct option_reader *r)
{
    (void)base;
    return check_size("max_buffered_size", value, r);
}

static enum status check_compact(void *base, const struct node *value, struct option_reader *r)
{
    (void)base;
    if (value->kind == NODE_INT && value->number < 0) {
        return option_report(r, value,
                             "Expected an absolute size for \"meta_compact_size\", got %v");
    }
    return check_size("meta_compact_size", value, r);
}

static enum status check_strict(void *base, const struct node *value, struct option_reader *r)
{
    (void)base;
    bool is_good = value->kind == NODE_BOOL ||
                   (value->kind == NODE_STR &&
                    (str_equal(value->text, STR("true")) || str_equal(value->text, STR("false"))));

    return is_good ? ST_OK
                   : option_report(r, value, "Expected 'true' or 'false' for bool value, got '%v'");
}

/* Messages have the name that the user wrote. */
static enum status check_sync(void *base, const struct node *value, struct option_reader *r)
{
    static const struct option rows[] = {
        OPTION_CHECKED("sync_interval", DURATION, .doc = "Time between writes to disk."),
        OPTION_CHECKED("sync", DURATION, .doc = "The same."),
    };
    bool is_short = str_equal_nocase(value->key, STR("sync"));

    if (value->kind == NODE_STR && str_equal_nocase(value->text, STR("always"))) {
        return ST_OK;
    }
    return option_set(&(struct option_slot){.row = &rows[is_short], .base = base}, value, r);
}

static enum status check_cipher(void *base, const struct node *value, struct option_reader *r)
{
    static const char *const words[] = {"chacha", "chachapoly", "aes", NULL};

    (void)base;
    if (value->kind != NODE_STR) {
        return option_wrong_type(r, value, node_kind_name(NODE_STR));
    }
    for (int i = 0; words[i]; i++) {
        if (str_equal_nocase(value->text, str_of(words[i]))) {
            return ST_OK;
        }
    }
    return option_report(r, value, "Unknown cipher type: \"%v\"");
}

#define SIZE_TEXT(name_) "Expected a parseable size for \"" name_ "\", got %v"

static const struct option batch_rows[] = {
    OPTION_CHECKED("max_inflight_per_stream", INT, .doc = "Batches at a time of a stream."),
    OPTION_CHECKED("max_inflight_total", INT, .doc = "Batches at a time."),
    OPTION_CHECKED("max_msgs", INT, .doc = "Messages of a batch."),
    OPTION_CUSTOM("timeout", later_check_duration, .doc = "Time after which a batch is given up."),
    OPTION_END};

static const struct option limits_rows[] = {
    OPTION_CHECKED("max_ack_pending", INT, .doc = "Messages that may wait for an acknowledgement."),
    OPTION_CHECKED("max_ha_assets", INT, .doc = "Streams and consumers with replicas here."),
    OPTION_CHECKED("max_request_batch", INT, .doc = "Messages of one pull."),
    OPTION_CUSTOM("duplicate_window", later_check_duration,
                  .doc = "Longest window for duplicates."),
    OPTION_CHECKED("default_max_consumers", INT, .doc = "Consumers of a stream."),
    OPTION_BLOCK("batch", batch_rows, .wrong = "Expected a map to define batch limits, got %T",
                 .doc = "Limits of batches."),
    OPTION_END};

static const struct option tpm_rows[] = {
    OPTION_CHECKED("keys_file", STR, .doc = "File with the keys."),
    OPTION_CHECKED("encryption_password", SECRET, .doc = "Password of the keys."),
    OPTION_CHECKED("srk_password", SECRET, .doc = "Password of the storage root key."),
    OPTION_CHECKED("pcr", INT, .doc = "Platform configuration register."),
    OPTION_CUSTOM("cipher", check_cipher, .doc = "Cipher."),
    OPTION_END};

const struct option later_jetstream_rows[] = {
    OPTION_CHECKED("enabled", BOOL, .aliases = "enable", .doc = "Whether JetStream runs."),
    OPTION_CUSTOM("store_dir", later_set_store_dir, .aliases = "storedir store",
                  .doc = "Directory of the data."),
    OPTION_CUSTOM("max_memory_store", check_memory, .aliases = "max_mem_store max_mem",
                  .doc = "Memory for streams."),
    OPTION_CUSTOM("max_file_store", check_file, .aliases = "max_file", .doc = "Disk for streams."),
    OPTION_CHECKED("domain", STR, .doc = "Domain."),
    OPTION_CHECKED("key", SECRET, .aliases = "ek encryption_key", .doc = "Key for data on disk."),
    OPTION_CHECKED("prev_key", SECRET, .aliases = "prev_ek prev_encryption_key",
                   .doc = "The key before that."),
    OPTION_CUSTOM("cipher", check_cipher, .doc = "chacha or aes."),
    OPTION_CHECKED("extension_hint", STR, .doc = "How to extend."),
    OPTION_CHECKED("unique_tag", STR, .doc = "Prefix of the tag that replicas must not share."),
    OPTION_CUSTOM("strict", check_strict, .doc = "Refuse unknown fields of requests."),
    OPTION_CUSTOM("sync_interval", check_sync, .aliases = "sync",
                  .doc = "Time between writes to disk, or always."),
    OPTION_BLOCK("limits", limits_rows, .wrong = "Expected a map to define JetStreamLimits, got %T",
                 .doc = "Limits of requests."),
    OPTION_CUSTOM("max_outstanding_catchup", check_catchup, .doc = "Bytes on their way."),
    OPTION_CUSTOM("max_buffered_size", check_buffered, .doc = "Bytes that wait for a stream."),
    OPTION_CHECKED("max_buffered_msgs", INT, .wrong = SIZE_TEXT("max_buffered_msgs"),
                   .doc = "Messages that wait for a stream."),
    OPTION_CHECKED("request_queue_limit", INT, .wrong = SIZE_TEXT("request_queue_limit"),
                   .doc = "Requests that wait."),
    OPTION_CHECKED("info_queue_limit", INT, .wrong = SIZE_TEXT("info_queue_limit"),
                   .doc = "Requests for information that wait."),
    OPTION_CHECKED(
        "max_concurrent_io", INT, .min = 4, .max = 8192,
        .wrong = "Expected an absolute size for \"max_concurrent_io\" between 4 and 8192, got %v",
        .refused = "Expected an absolute size for \"max_concurrent_io\" between 4 and 8192, got %v",
        .doc = "Operations on disk at a time."),
    OPTION_CHECKED("meta_compact", INT, .min = 0, .max = NEVER_MORE,
                   .wrong = "Expected an absolute size for \"meta_compact\", got %v",
                   .refused = "Expected an absolute size for \"meta_compact\", got %v",
                   .doc = "Entries after which the log of the meta group is compacted."),
    OPTION_CUSTOM("meta_compact_size", check_compact, .doc = "The same in bytes."),
    OPTION_CHECKED("meta_compact_sync", BOOL, .doc = "Compact at once."),
    OPTION_BLOCK("tpm", tpm_rows, .wrong = "Expected a map to define JetStreamLimits, got %T",
                 .doc = "Keys in a trusted platform module."),
    OPTION_END};
