/* SPDX-License-Identifier: Apache-2.0 */
/* Rows and checks that the files of the later options share. The base of all rows is a struct
 * later_options. */
#pragma once

#include "base/attr.h"
#include "base/status.h"
#include "conf/node.h"
#include "conf/option.h"

extern const struct option later_cluster_rows[];
extern const struct option later_gateway_rows[];
extern const struct option later_leafnode_rows[];
extern const struct option later_websocket_rows[];
extern const struct option later_mqtt_rows[];
extern const struct option later_jetstream_rows[];

/** Values of write_timeout. */
extern const char *const later_write_timeouts[];

/* Thread, for all functions: control. Those with a base are columns of rows. */

/** Check a `tls` block. */
MUST_USE enum status later_check_tls(void *base, const struct node *value, struct option_reader *r);

/** The same of a cluster or gateway. */
MUST_USE enum status later_check_remote_tls(void *base, const struct node *value,
                                            struct option_reader *r);

/** Check a value that is no option's business: anything goes. */
MUST_USE enum status later_accept(void *base, const struct node *value, struct option_reader *r);

/** Check a text of a duration, or a text in an array. Messages are without the name of the option.
 */
MUST_USE enum status later_check_duration(void *base, const struct node *value,
                                          struct option_reader *r);

/** The same for each element of an array. */
MUST_USE enum status later_check_durations(void *base, const struct node *value,
                                           struct option_reader *r);

/**
 * Check the text of a URL.
 * @param what  "route" in the message `error parsing route url ["::x"]`
 */
MUST_USE enum status later_check_url(const char *what, const struct node *value,
                                     struct option_reader *r);

/** The same for each element of an array. */
MUST_USE enum status later_check_urls(const char *what, const struct node *value,
                                      struct option_reader *r);

/** Remember the directory of JetStream, which has two places in a configuration. */
MUST_USE enum status later_set_store_dir(void *base, const struct node *value,
                                         struct option_reader *r);
