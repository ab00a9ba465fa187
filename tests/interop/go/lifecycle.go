// SPDX-License-Identifier: Apache-2.0

// Cases about connections: what INFO said, drain, reconnect, lame duck.

package main

import (
	"encoding/json"
	"os"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

func caseConnect(t target) {
	nc := t.connect()
	check(nc.IsConnected(), "not connected")
	clientID, err := nc.GetClientID()
	ok(err)
	clientIP, err := nc.GetClientIP()
	ok(err)
	// The test compares this with the INFO line that the server sends.
	ok(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"server_id":   nc.ConnectedServerId(),
		"server_name": nc.ConnectedServerName(),
		"version":     nc.ConnectedServerVersion(),
		"client_id":   clientID,
		"client_ip":   clientIP.String(),
		"max_payload": nc.MaxPayload(),
		"headers":     nc.HeadersSupported(),
	}))
	check(!nc.AuthRequired() && !nc.TLSRequired(), "INFO asks for a login or TLS")
	nc.Close()
	check(nc.IsClosed(), "not closed")
}

func caseFlushRTT(t target) {
	nc := t.connect()
	defer nc.Close()
	for i := 0; i < 10; i++ {
		publish(nc, "nobody.listens", "x")
		flush(nc)
		n, err := nc.Buffered()
		ok(err)
		check(n == 0, "%d bytes still buffered", n)
	}
	rtt, err := nc.RTT()
	ok(err)
	check(rtt > 0, "RTT is %v", rtt)
}

func caseDrainSubscription(t target) {
	const nMsgs = 500
	publisher, subscriber := t.connect(), t.connect()
	defer publisher.Close()
	defer subscriber.Close()
	draining := make(chan struct{})
	var received atomic.Int64
	sub, err := subscriber.Subscribe("drain.me", func(*nats.Msg) {
		<-draining
		received.Add(1)
	})
	ok(err)
	flush(subscriber)

	for i := 0; i < nMsgs; i++ {
		publish(publisher, "drain.me", "x")
	}
	flush(publisher)
	ok(sub.Drain())
	close(draining)
	// This version of the library has no event for the end of a subscription's drain.
	for deadline := time.Now().Add(wait); sub.IsValid(); time.Sleep(time.Millisecond) {
		check(time.Now().Before(deadline), "timeout: drained, %d received", received.Load())
	}
	for deadline := time.Now().Add(wait); received.Load() < nMsgs; time.Sleep(time.Millisecond) {
		check(time.Now().Before(deadline), "only %d of %d received", received.Load(), nMsgs)
	}
	check(received.Load() == nMsgs, "%d received", received.Load())

	check(subscriber.IsConnected(), "the connection is gone")
	expectNoInterest(publisher, "drain.me")
}

func caseDrainConnection(t target) {
	const nMsgs = 500
	closed := make(chan struct{})
	client := t.connect()
	defer client.Close()
	service := t.connect(nats.ClosedHandler(func(*nats.Conn) { close(closed) }))
	answers := subscribe(client, "answers")
	draining := make(chan struct{})
	var received atomic.Int64
	onMsg := func(msg *nats.Msg) {
		<-draining
		ok(msg.Respond(msg.Data))
		received.Add(1)
	}
	_, err := service.Subscribe("work.a", onMsg)
	ok(err)
	_, err = service.QueueSubscribe("work.b", "workers", onMsg)
	ok(err)
	flush(service)

	subjects := []string{"work.a", "work.b"}
	for i := 0; i < nMsgs; i++ {
		ok(client.PublishRequest(subjects[i%2], "answers", []byte("x")))
	}
	flush(client)
	ok(service.Drain())
	close(draining)
	for i := 0; i < nMsgs; i++ {
		expectText(answers, "x")
	}
	await(closed, "connection closed after drain")
	ok(service.LastError())
	check(service.IsClosed(), "not closed")
	check(received.Load() == nMsgs, "%d received", received.Load())
	expectNothing(client, answers)
	expectNoInterest(client, "work.a")
}

func caseReconnect(t target) {
	const max, nBefore = 5, 2
	lost, back := make(chan struct{}, 100), make(chan struct{}, 100)
	nc := t.connect(nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond), nats.ReconnectJitter(0, 0),
		nats.DisconnectErrHandler(func(*nats.Conn, error) { lost <- struct{}{} }),
		nats.ReconnectHandler(func(*nats.Conn) { back <- struct{}{} }))
	defer nc.Close()
	oldID := nc.ConnectedServerId()

	plain, tail := subscribe(nc, "news"), subscribe(nc, "deep.>")
	queue := queueSubscribe(nc, "news", "readers")
	few := subscribe(nc, "few")
	ok(few.AutoUnsubscribe(max))
	for i := 0; i < nBefore; i++ {
		publish(nc, "few", "before")
		expectText(few, "before")
	}
	sayReady()

	await(lost, "disconnected")
	await(back, "reconnected")
	flush(nc)
	check(nc.ConnectedServerId() != oldID, "still the old server")

	publish(nc, "news", "fresh")
	publish(nc, "deep.down.here", "deep")
	for i := 0; i < max; i++ {
		publish(nc, "few", "after")
	}
	expectText(plain, "fresh")
	expectText(queue, "fresh")
	expectText(tail, "deep")
	for i := nBefore; i < max; i++ {
		expectText(few, "after")
	}
	expectNothing(nc, plain)
	expectNothing(nc, queue)
	expectNothing(nc, tail)
	expectNoInterest(nc, "few")
}

func caseLameDuck(t target) {
	notices := make(chan struct{}, 1)
	nc := t.connect(nats.LameDuckModeHandler(func(*nats.Conn) { notices <- struct{}{} }))
	defer nc.Close()
	flush(nc)
	check(len(notices) == 0, "notice before lame duck mode")
	sayReady()
	await(notices, "lame duck notice")
}
