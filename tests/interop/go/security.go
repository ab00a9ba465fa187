// SPDX-License-Identifier: Apache-2.0

// Cases about who is let in, by login and by certificate, and about what one is allowed then.

package main

import (
	"errors"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
)

func caseLogin(t target) {
	nc := t.connect()
	defer nc.Close()
	sub := subscribe(nc, "private")
	publish(nc, "private", "secret")
	expectText(sub, "secret")
}

func caseLoginRefused(t target) {
	_, err := t.dial()
	failsWith(nats.ErrAuthorization, err)
}

func caseTLSRefused(t target) {
	_, err := t.dial()
	check(err != nil && !errors.Is(err, nats.ErrTimeout) && !errors.Is(err, nats.ErrAuthorization), "got error %v", err)
}

func casePermissions(t target) {
	violations := make(chan error, 100)
	nc := t.connect(nats.NoReconnect(),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { violations <- err }))
	defer nc.Close()
	expectViolation := func(what string) {
		flush(nc)
		text := await(violations, what).Error()
		check(strings.Contains(strings.ToLower(text), "permissions violation for "+what), "got %s", text)
	}

	publish(nc, "secret.a", "x")
	expectViolation(`publish to "secret.a"`)
	subscribe(nc, "secret.b")
	expectViolation(`subscription to "secret.b"`)
	queueSubscribe(nc, "secret.c", "readers")
	expectViolation(`subscription to "secret.c" using queue "readers"`)

	allowed := subscribe(nc, "open")
	publish(nc, "open", "x")
	expectText(allowed, "x")
	check(len(violations) == 0, "more errors: %d", len(violations))
}

func caseAccounts(t target) {
	ours := t.connect()
	defer ours.Close()
	theirs := t.connect(nats.UserInfo(t.settings["user2"], t.settings["pass2"]))
	defer theirs.Close()
	ncs := []*nats.Conn{ours, theirs}
	var plain, queue []*nats.Subscription
	for _, nc := range ncs {
		plain = append(plain, subscribe(nc, "news.*"))
		queue = append(queue, queueSubscribe(nc, "news.today", "readers"))
	}
	for i, nc := range ncs {
		publish(nc, "news.today", "ours")
		flush(nc)
		expectText(plain[i], "ours")
		expectText(queue[i], "ours")
		expectNothing(ncs[1-i], plain[1-i])
		expectNothing(ncs[1-i], queue[1-i])
	}
	service := subscribe(ours, "service")
	expectNoInterest(theirs, "service")
	expectNothing(ours, service)
}

func caseReload(t target) {
	const nBatch = 10
	noticed, ended := make(chan error, 100), make(chan struct{})
	nc := t.connect(nats.NoReconnect(),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { noticed <- err }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { noticed <- err }))
	sub := subscribe(nc, "tick")
	go func() {
		_, _ = io.ReadAll(os.Stdin)
		close(ended)
	}()
	sayReady()
	for n := 0; !isClosed(ended); n += nBatch {
		for i := 0; i < nBatch; i++ {
			publish(nc, "tick", strconv.Itoa(n+i))
		}
		for i := 0; i < nBatch; i++ {
			expectText(sub, strconv.Itoa(n+i))
		}
	}
	expectNothing(nc, sub)
	check(len(noticed) == 0, "noticed %d times", len(noticed))
}

func isClosed(events <-chan struct{}) bool {
	select {
	case <-events:
		return true
	default:
		return false
	}
}
