/* SPDX-License-Identifier: Apache-2.0 */
/* A hash set of subscriptions, the id being the key. */
#include "client/sids.h"

#include "base/hash.h"
#include "base/mem.h"
#include "broker/sub.h"

static inline uint64_t hash_of(const void *element, const void *arg)
{
    (void)arg;
    return hash_str(sub_sid(element));
}

static inline bool has_sid(const void *element, const void *key)
{
    return str_equal(sub_sid(element), *(const struct str *)key);
}

struct sub *sids_find(const struct sids *s, struct str sid)
{
    return ptrset_find(&s->set, hash_str(sid), has_sid, &sid);
}

void sids_add(struct sids *s, struct sub *take_sub)
{
    ptrset_add(&s->set, hash_of(take_sub, NULL), take_sub, hash_of, NULL);
}

bool sids_remove(struct sids *s, struct sub *sub)
{
    return ptrset_remove(&s->set, hash_of(sub, NULL), sub, hash_of, NULL);
}

struct sub **sids_take_all(struct sids *s)
{
    if (s->set.n == 0) {
        return NULL;
    }
    struct sub **subs = mem_alloc(s->set.n * sizeof(struct sub *));
    uint32_t at = 0;
    uint32_t n = 0;
    struct sub *sub;
    while ((sub = ptrset_next(&s->set, &at)) != NULL) {
        subs[n++] = sub;
    }
    ptrset_deinit(&s->set);
    return subs;
}
