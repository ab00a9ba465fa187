/* SPDX-License-Identifier: Apache-2.0 */
/* nats-server tells its working tables, and so do we: of each cluster the destinations by weight,
 * each with the sum of the weights up to its own. What they leave of 100 goes to the subject
 * itself, unless that is among the destinations. */
#include "monitor/account_mappings.h"

#include <stdlib.h>

#include "auth/mapping_options.h"
#include "base/json.h"
#include "base/mem.h"
#include "proto/subject.h"

#define ALL_PERCENT 100u

static int compare_weights(const void *a, const void *b)
{
    const struct mapping_dest *da = a;
    const struct mapping_dest *db = b;

    return (int)da->weight - (int)db->weight;
}

/* The source as a destination: with $1, $2 … for what it matches. */
static void write_self(struct str source, struct buf *out)
{
    unsigned n = 0;

    for (struct str rest = source; rest.p;) {
        struct str token = subject_next_token(&rest);

        if (str_equal(token, STR("*"))) {
            buf_printf(out, "$%u", ++n);
        } else {
            buf_add(out, token);
        }
        if (rest.p) {
            buf_add_char(out, '.');
        }
    }
}

static bool has_self(const struct mapping_options *o)
{
    for (size_t i = 0; i < o->n; i++) {
        if (str_equal(o->dests[i].subject, o->source)) {
            return true;
        }
    }
    return false;
}

/* Writes the destinations that count in a cluster; empty: in all that have none of their own. */
static void write_cluster(struct json *j, const struct mapping_options *o, struct str cluster)
{
    struct mapping_dest *dests = mem_alloc((o->n + 1) * sizeof(dests[0]));
    struct buf self = {0};
    unsigned sum = 0;
    size_t n = 0;

    for (size_t i = 0; i < o->n; i++) {
        if (str_equal(o->dests[i].cluster, cluster)) {
            dests[n++] = o->dests[i];
            sum += o->dests[i].weight;
        }
    }
    if (sum < ALL_PERCENT && !has_self(o)) {
        write_self(o->source, &self);
        dests[n++] = (struct mapping_dest){
            .subject = buf_str(&self), .weight = (uint8_t)(ALL_PERCENT - sum), .cluster = cluster};
    }
    qsort(dests, n, sizeof(dests[0]), compare_weights);
    sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += dests[i].weight;
        json_open_object(j);
        json_add_str(j, "subject", dests[i].subject);
        json_add_uint(j, "weight", sum);
        json_opt_str(j, "cluster", cluster);
        json_close_object(j);
    }
    buf_deinit(&self);
    mem_free(dests);
}

static bool is_new_cluster(const struct mapping_options *o, size_t i)
{
    bool is_new = o->dests[i].cluster.n > 0;

    for (size_t k = 0; k < i && is_new; k++) {
        is_new = !str_equal(o->dests[k].cluster, o->dests[i].cluster);
    }
    return is_new;
}

static void write_mapping(struct json *j, const struct mapping_options *o)
{
    json_key(j, o->source.p); // ends with a NUL, as all strings of an arena
    json_open_array(j);
    write_cluster(j, o, STR(""));
    for (size_t i = 0; i < o->n; i++) {
        if (is_new_cluster(o, i)) {
            write_cluster(j, o, o->dests[i].cluster);
        }
    }
    json_close_array(j);
}

void account_mappings_write(struct json *j, const struct mapping_list *l)
{
    if (l->n == 0) {
        return;
    }
    json_key(j, "mappings");
    json_open_object(j);
    for (size_t i = 0; i < l->n; i++) {
        write_mapping(j, &l->at[i]);
    }
    json_close_object(j);
}
