/* SPDX-License-Identifier: Apache-2.0 */
/* Messages are those of the reference, some without a place as there. */
#include "auth/account_jetstream.h"

#include "base/diag.h"
#include "conf/node.h"
#include "conf/option.h"

#define SIZE(name_, ...)                                                                           \
    OPTION_CHECKED(name_, INT, .wrong = "Expected a parseable size for \"%.*s\", got %v",          \
                   __VA_ARGS__)

static enum status check_traffic(void *base, const struct node *value, struct option_reader *r)
{
    (void)base;
    if (value->kind != NODE_STR) {
        return option_report(
            r, value, "Expected either 'system' or 'owner' string value for \"%.*s\", got %v");
    }
    return !value->text.n || str_equal(value->text, STR("system")) ||
                   str_equal(value->text, STR("owner"))
               ? ST_OK
               : option_report(r, value,
                               "Expected 'system' or 'owner' string value for \"%.*s\", got %v");
}

static const struct option rows[] = {
    SIZE("max_memory", .aliases = "max_mem mem memory", .doc = "Memory for streams."),
    SIZE("max_store", .aliases = "max_file max_disk store disk", .doc = "Disk for streams."),
    SIZE("max_streams", .aliases = "streams", .doc = "Streams of the account."),
    SIZE("max_consumers", .aliases = "consumers", .doc = "Consumers of the account."),
    OPTION_CHECKED("max_bytes_required", BOOL, .aliases = "max_stream_bytes max_bytes",
                   .wrong = "Expected a parseable bool for \"%.*s\", got %v",
                   .doc = "A stream must say how much it may take."),
    SIZE("memory_max_stream_bytes", .aliases = "mem_max_stream_bytes",
         .doc = "Memory for one stream."),
    SIZE("store_max_stream_bytes", .aliases = "disk_max_stream_bytes",
         .doc = "Disk for one stream."),
    SIZE("max_ack_pending", .doc = "Messages of a consumer that await an acknowledgement."),
    OPTION_CUSTOM("cluster_traffic", check_traffic,
                  .doc = "Whose account traffic between servers counts for: system or owner."),
    OPTION_END};

static const struct option block = OPTION_BLOCK("jetstream", rows, .doc = "Not supported yet.");

bool jetstream_read_word(struct str word, bool *is_on)
{
    *is_on = str_equal_nocase(word, STR("enabled")) || str_equal_nocase(word, STR("enable"));
    return *is_on || str_equal_nocase(word, STR("disabled")) ||
           str_equal_nocase(word, STR("disable"));
}

static enum status check_word(const struct node *value, bool *is_asked, struct option_reader *r)
{
    if (jetstream_read_word(value->text, is_asked)) {
        return ST_OK;
    }
    diag_error(r->d, NULL, "Expected 'enabled' or 'disabled' for string value, got '%.*s'",
               STR_ARG(value->text));
    return ST_FAILED;
}

enum status account_jetstream_check(const struct node *value, bool *is_asked,
                                    struct option_reader *r)
{
    switch (value->kind) {
    case NODE_BOOL:
        *is_asked = value->truth;
        return ST_OK;
    case NODE_STR:
        return check_word(value, is_asked, r);
    case NODE_MAP:
        *is_asked = value->first != NULL;
        return option_read_block(&block, NULL, value, r);
    default:
        diag_error(r->d, NULL, "Expected map, bool or string to define JetStream, got %s",
                   node_kind_name(value->kind));
        return ST_FAILED;
    }
}
