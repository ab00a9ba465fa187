/* SPDX-License-Identifier: Apache-2.0 */
/* The option rows of the server itself. Read on the control thread; the log's strings are copied by
 * log_open, the others live as long as the struct. */
#include "server/server_options.h"

#include <stdint.h>
#include <string.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/status.h"
#include "base/str.h"
#include "conf/listen.h"
#include "conf/node.h"
#include "conf/option.h"

#define DEFAULT_HOST "0.0.0.0"
#define DEFAULT_PORT "4222"
#define MAX_THREADS 255

static const char *refuse_spaces(struct str text)
{
    return text.n && memchr(text.p, ' ', text.n) ? "server name cannot contain spaces" : NULL;
}

static const char *refuse_mode(struct str text)
{
    bool is_octal = text.n > 0 && text.n <= 4;

    for (size_t i = 0; i < text.n; i++) {
        is_octal = is_octal && text.p[i] >= '0' && text.p[i] <= '7';
    }
    return is_octal ? NULL : "unix_socket_mode must be an octal number such as \"0660\"";
}

unsigned server_options_unix_mode(const struct server_options *o)
{
    unsigned mode = 0;

    for (const char *p = o->unix_socket_mode; *p; p++) {
        mode = mode * 8 + (unsigned)(*p - '0');
    }
    return mode;
}

static enum status set_listen(void *base, const struct node *value, struct option_reader *r);

static const struct option server_rows[] = {
    OPTION_CUSTOM("listen", set_listen,
                  .doc = "Port, or host:port, to listen on for clients: host and port in one."),
    OPTION_STR("host", struct server_options, host, .aliases = "net", .cli = "-a --addr --net",
               .def = DEFAULT_HOST, .zero_is_default = true,
               .doc = "Address to listen on for clients."),
    OPTION_INT("port", struct server_options, port, .cli = "-p --port", .def = DEFAULT_PORT,
               .zero_is_default = true,
               .doc = "Port to listen on for clients; -1 takes a free one."),
    OPTION_STR("unix_socket", struct server_options, unix_socket,
               .doc = "Path of a Unix socket to listen on for clients as well."),
    OPTION_STR("unix_socket_mode", struct server_options, unix_socket_mode, .def = "0660",
               .refuse = refuse_mode, .doc = "Permissions of that path, in octal: \"0660\"."),
    OPTION_STR("server_name", struct server_options, server_name, .cli = "-n --name --server_name",
               .refuse = refuse_spaces, .doc = "Name of this server; by default its id."),
    OPTION_STR("client_advertise", struct server_options, client_advertise,
               .cli = "--client_advertise", .reload = RELOAD_HOOK,
               .doc = "host or host:port that clients are told instead of the listen address."),
    OPTION_STR("pid_file", struct server_options, pid_file, .aliases = "pidfile", .cli = "-P --pid",
               .reload = RELOAD_HOOK,
               .doc = "File that holds the process id while the server runs."),
    OPTION_STR("ports_file_dir", struct server_options, ports_file_dir, .cli = "--ports_file_dir",
               .reload = RELOAD_HOOK,
               .doc = "Directory for a file <program>_<pid>.ports that lists the URLs in use."),
    OPTION_BOOL("auto_reload", struct server_options, auto_reload, .reload = RELOAD_HOOK,
                .doc = "Reload when the configuration file or a certificate of TLS changes."),
    OPTION_INT("io_threads", struct server_options, io_threads, .cli = "--io_threads", .min = 0,
               .max = MAX_THREADS, .doc = "Threads that serve connections; 0 is one per core."),
    OPTION_DURATION("lame_duck_duration", struct server_options, lame_duck_duration_ns, .def = "2m",
                    .plain = OPTION_PLAIN_REFUSED, .min = 30 * CLOCK_SEC_NS, .max = OPTION_NO_MAX,
                    .doc = "Time over which a server in lame duck mode closes its clients."),
    OPTION_DURATION("lame_duck_grace_period", struct server_options, lame_duck_grace_period_ns,
                    .zero_is_default = true, .def = "10s", .plain = OPTION_PLAIN_REFUSED, .min = 0,
                    .max = OPTION_NO_MAX, .doc = "Time before the first close in lame duck mode."),

    OPTION_BOOL("debug", struct server_options, log.debug, .cli = "-D --debug",
                .reload = RELOAD_HOOK, .doc = "Write debug lines to the log."),
    OPTION_BOOL("trace", struct server_options, log.trace, .cli = "-V --trace",
                .reload = RELOAD_HOOK, .doc = "Write the protocol of all connections to the log."),
    OPTION_BOOL("trace_verbose", struct server_options, log.trace_verbose, .reload = RELOAD_HOOK,
                .doc = "Trace, and the system account as well."),
    OPTION_BOOL("logtime", struct server_options, log.logtime, .cli = "-T --logtime", .def = "true",
                .reload = RELOAD_HOOK, .doc = "Date and time on each log line."),
    OPTION_BOOL("logtime_utc", struct server_options, log.logtime_utc, .cli = "--logtime_utc",
                .reload = RELOAD_HOOK, .doc = "Log in UTC instead of the local time zone."),
    OPTION_STR("log_file", struct server_options, log.log_file, .aliases = "logfile",
               .cli = "-l --log", .reload = RELOAD_HOOK, .doc = "Write the log to this file."),
    OPTION_SIZE("log_size_limit", struct server_options, log.logfile_size_limit,
                .aliases = "logfile_size_limit", .cli = "--log_size_limit",
                .doc = "Size in bytes beyond which the log file is rotated; 0 is never."),
    OPTION_INT("log_max_num", struct server_options, log.logfile_max_num,
               .aliases = "logfile_max_num",
               .doc = "Log files kept when rotating, the current one included; 0 is all."),
    OPTION_BOOL("syslog", struct server_options, log.syslog, .cli = "-s --syslog",
                .reload = RELOAD_HOOK, .doc = "Log to the syslog daemon of this machine."),
    OPTION_STR("remote_syslog", struct server_options, log.remote_syslog,
               .cli = "-r --remote_syslog", .reload = RELOAD_HOOK,
               .doc = "Log to syslog at a URL: udp://host:port, tcp://host:port, unix:///path."),
    OPTION_INT("max_traced_msg_len", struct server_options, log.max_traced_msg_len,
               .cli = "--max_traced_msg_len", .reload = RELOAD_HOOK,
               .doc = "Bytes of a payload that are traced; 0 is all."),
    OPTION_BOOL("trace_headers", struct server_options, log.trace_headers, .reload = RELOAD_HOOK,
                .doc = "Trace, but of payloads only the headers."),
    OPTION_INT("connect_error_reports", struct server_options, connect_error_reports, .def = "3600",
               .reload = RELOAD_LIVE,
               .doc = "Log every n-th failure to connect to another server for the first time."),
    OPTION_INT("reconnect_error_reports", struct server_options, reconnect_error_reports,
               .def = "1", .reload = RELOAD_LIVE,
               .doc = "Log every n-th failure to connect to another server again."),

    OPTION_OTHER("server_tags", struct server_options, server_tags, &tags_type,
                 .reload = RELOAD_LIVE, .doc = "Tags of this server; in lower case, each once."),
    OPTION_OTHER("server_metadata", struct server_options, server_metadata, &metadata_type,
                 .reload = RELOAD_LIVE, .doc = "What this server tells about itself: any texts."),
    OPTION_OTHER("feature_flags", struct server_options, feature_flags, &feature_flags_type,
                 .doc = "Features that are switched on or off; unknown ones are ignored."),

    OPTION_OTHER("http", struct server_options, monitor.http, &listen_address_type,
                 .doc = "Port, or host:port, of monitoring over HTTP."),
    OPTION_OTHER("https", struct server_options, monitor.https, &listen_address_type,
                 .doc = "Port, or host:port, of monitoring over HTTPS; needs tls."),
    OPTION_INT("http_port", struct server_options, monitor.http.port, .aliases = "monitor_port",
               .cli = "-m --http_port",
               .doc = "Port of monitoring over HTTP; -1 takes a free one."),
    OPTION_INT("https_port", struct server_options, monitor.https.port, .cli = "-ms --https_port",
               .doc = "Port of monitoring over HTTPS; -1 takes a free one."),
    OPTION_STR("http_base_path", struct server_options, monitor.base_path,
               .doc = "Path below which all endpoints of monitoring are."),
    OPTION_INT("prof_port", struct server_options, monitor.prof_port, .cli = "--profile",
               .doc = "Port of profiling over HTTP, at /debug/pprof/; -1 takes a free one."),
    OPTION_INT("prof_block_rate", struct server_options, monitor.prof_block_rate,
               .reload = RELOAD_LIVE,
               .doc = "Accepted without effect: there is nothing to sample."),
    OPTION_END};

struct option_table server_options_table(struct server_options *o)
{
    return (struct option_table){.rows = server_rows, .base = o};
}

/* 4222, -1, "127.0.0.1:4222", "[::1]:4222", ":4222" */
static enum status set_listen(void *base, const struct node *value, struct option_reader *r)
{
    const struct option_table tables[] = {{.rows = server_rows, .base = base}, OPTION_TABLES_END};
    struct option_slot host_slot;
    struct option_slot port_slot;
    struct node host = {.kind = NODE_STR, .at = value->at, .key = value->key};
    struct node port = {.kind = NODE_INT, .at = value->at, .key = value->key};

    if (listen_parse(value, &host.text, &port.number, r) != ST_OK) {
        return ST_FAILED;
    }
    ENSURE(option_find(tables, STR("host"), &host_slot) &&
           option_find(tables, STR("port"), &port_slot));
    if (value->kind == NODE_STR && option_set(&host_slot, &host, r) != ST_OK) {
        return ST_FAILED;
    }
    return option_set(&port_slot, &port, r);
}

void server_options_settle(struct server_options *o)
{
    o->log.trace = o->log.trace || o->log.trace_verbose || o->log.trace_headers;
}

enum status server_options_check(const struct server_options *o, struct diag *d)
{
    uint32_t n_before = d->n_errors;

    if (o->lame_duck_grace_period_ns >= o->lame_duck_duration_ns) {
        char grace[CLOCK_DURATION_MAX];
        char duration[CLOCK_DURATION_MAX];

        clock_format_duration(o->lame_duck_grace_period_ns, grace);
        clock_format_duration(o->lame_duck_duration_ns, duration);
        diag_error(d, NULL,
                   "lame duck grace period (%s) should be strictly lower than lame duck duration "
                   "(%s)",
                   grace, duration);
    }
    return d->n_errors > n_before ? ST_FAILED : ST_OK;
}
