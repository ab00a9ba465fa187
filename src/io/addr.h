/* SPDX-License-Identifier: Apache-2.0 */
/* The address of the other end of a socket, in 20 bytes. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct addr {
    uint8_t family; // AF_INET, AF_INET6; AF_UNSPEC: none (Unix sockets)
    uint16_t port;
    uint8_t ip[16]; // network order; the first 4 for IPv4
};

/** Longest text of an address with its NUL. */
#define ADDR_TEXT_MAX 64

/** @return  the compact form of a socket address; IPv4 mapped into IPv6 becomes IPv4.
 * Thread: any. */
struct addr addr_of(const struct sockaddr_storage *ss);

/** Write the IP address, without the port. @param out ADDR_TEXT_MAX bytes. Thread: any. */
void addr_format_ip(const struct addr *a, char *out);
