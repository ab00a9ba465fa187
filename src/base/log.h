/* SPDX-License-Identifier: Apache-2.0 */
/* The log: one line per event, in the format that tools for nats-server expect (spec 02 §2).
 * The sink (stderr, file with rotation, local or remote syslog) is the program's only global
 * state. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/diag.h"
#include "base/status.h"

enum log_level { LOG_INF, LOG_DBG, LOG_WRN, LOG_ERR, LOG_FTL, LOG_TRC };

/** What the log is to do; filled from the option tables. Strings are borrowed during log_open
 * only. */
struct log_options {
    bool debug;                 // DBG lines
    bool trace;                 // TRC lines: the protocol as it goes over the wire
    bool trace_verbose;         // trace the system account as well
    bool trace_headers;         // trace; of messages only the headers
    bool logtime;               // date and time on each line
    bool logtime_utc;           // in UTC instead of the local zone
    bool syslog;                // local syslog
    const char *log_file;       // NULL or "": none
    const char *remote_syslog;  // URL, "udp://localhost:514"; NULL or "": none
    int64_t logfile_size_limit; // [bytes] rotate beyond; 0: never
    int64_t logfile_max_num;    // files kept, the current one included; 0: all
    int64_t max_traced_msg_len; // [bytes] of a payload that are traced; 0: all
};

/**
 * Open the sink: log file > remote syslog > local syslog > stderr, the first that is set.
 * Until then, and after log_close, lines go to stderr. A second call switches over.
 * @param tag  program name for syslog
 * Errors are in d (and the sink is unchanged). Thread: control.
 */
MUST_USE enum status log_open(const struct log_options *o, const char *tag, struct diag *d);

/** Flush and close the sink; later lines go to stderr. Thread: control. */
void log_close(void);

/**
 * Open the log file anew at the same path (SIGUSR1) and say so in it; when the sink is not a file
 * that is logged instead. Errors keep the old file and are logged.
 * Thread: control.
 */
void log_reopen(void);

/** @return  whether lines of this level are written: check before costly arguments. Thread: any. */
bool log_enabled(enum log_level level);

/** @return  whether a trace shows the headers of a message, not its payload. Thread: any. */
bool log_traces_headers_only(void);

/** @return  [bytes] of a payload that a trace line may show; 0: all. Thread: any. */
int64_t log_max_traced_bytes(void);

/**
 * Write one line: one write(2), no allocation for lines up to some KiB. Control characters in it
 * are written as blanks, so that nobody outside can forge a line or reach the terminal.
 * LOG_FTL only writes: ending the process is the caller's business. Lines of a disabled level are
 * dropped.
 * Thread: any. Locks: the sink.
 */
void log_line(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

/** As log_line, but line feeds stay: for what is said in several lines and comes from the
 * operator's own files, never from outside. Thread: any. */
void log_lines(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

/** log_line by level; the arguments of DBG and TRC are evaluated only when that level is
 * enabled. */
#define log_info(...) log_line(LOG_INF, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WRN, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERR, __VA_ARGS__)
#define log_fatal(...) log_line(LOG_FTL, __VA_ARGS__)
#define log_debug(...) (log_enabled(LOG_DBG) ? log_line(LOG_DBG, __VA_ARGS__) : (void)0)
#define log_trace(...) (log_enabled(LOG_TRC) ? log_line(LOG_TRC, __VA_ARGS__) : (void)0)

/** What log_limited remembers of a statement. */
struct log_rate {
    _Atomic int64_t next_ns; // monotonic time before which the statement stays silent
};

/**
 * As log_line, for a statement that something outside can trigger at will: at most about one line
 * a second per `slot`; the others are dropped.
 * @param slot  static, zero-initialised, one per statement
 * Thread: any.
 */
void log_limited(struct log_rate *slot, enum log_level level, const char *format, ...)
    PRINTF_LIKE(3, 4);
