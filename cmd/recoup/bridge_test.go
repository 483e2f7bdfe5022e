package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"recoup/pipeline"
)

// The command tells a webhook of an open case, signed, and ends cleanly.
func TestBridgeTells(t *testing.T) {
	body, err := os.ReadFile("../../cases/testdata/case.json")
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		got <- r.Header.Get("Recoup-Signature") + " " + string(content)
	}))
	defer hook.Close()
	settings := settingsFor(t, fakeKafka(t), "127.0.0.1:1", "bridge") // no ClickHouse is needed
	content, err := os.ReadFile(settings)
	if err != nil {
		t.Fatal(err)
	}
	secret := write(t, "k\n")
	settings = write(t, fmt.Sprintf("%sbridge: {listen: %q, webhooks: {urls: [%q], invoices: true, secret_file: %q}}\n",
		content, deadAddress(t), hook.URL, secret))
	c, cfg := client(t, settings)
	if _, err := c.EnsureTopics(t.Context(), topicSpecs(cfg.TopicTable(1), 1), false); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Log().Append(t.Context(), cfg.Kafka.Topics.Cases, 0, []pipeline.Record{{Key: []byte("k"),
		Value: body}}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan int, 1)
	var stderr bytes.Buffer
	go func() {
		ended <- execute(ctx, []string{"bridge", "--config", settings}, &session{stdout: io.Discard, stderr: &stderr})
	}()
	select {
	case said := <-got:
		if !strings.HasPrefix(said, "t=") || !strings.Contains(said, `"action":"fire","seq":1,`) ||
			!strings.Contains(said, `"dedup_key":"24107006-d835-56a0-80a4-1a64bac3f871"`) ||
			strings.Contains(said, "2026-000417") || strings.Contains(said, "c:17850") {
			t.Errorf("the webhook was told %s", said)
		}
	case <-time.After(60 * time.Second):
		t.Error("in 60 s the webhook was told nothing")
	}
	stop()
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
}

// Without anybody to tell it says what to set.
func TestBridgeWantsAReceiver(t *testing.T) {
	var stderr bytes.Buffer
	settings := settingsFor(t, "127.0.0.1:1", "127.0.0.1:1", "bridge")
	code := execute(t.Context(), []string{"bridge", "--config", settings}, &session{stdout: io.Discard, stderr: &stderr})
	if code != exitFailed || !strings.Contains(stderr.String(), "set bridge.alertmanager.urls or bridge.webhooks.urls") {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
}
