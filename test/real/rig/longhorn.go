package main

import (
	"context"
	"sync/atomic"
	"time"
)

const (
	engineMonitor = 5 * time.Second
	// Longhorn's CSI driver polls: the engine monitor, then a tick of 2 s.
	longhornPolls = engineMonitor + 2*time.Second
)

// Longhorn keeps a record of its own of each cut, which says so before its CSI driver does.
type Longhorn struct {
	kube  *Kube
	style atomic.Value // "longhorn", "old-longhorn", or another storage's
}

// Captured writes the record, if this storage is Longhorn. An older one learns of the cut from its engine monitor only.
func (l *Longhorn) Captured(ctx context.Context, uid string) {
	style, _ := l.style.Load().(string)
	if style != "longhorn" && style != "old-longhorn" {
		return
	}
	field := "requestedTime"
	if style == "old-longhorn" {
		field = "creationTime"
	}
	write := func() {
		_, err := l.kube.Create(ctx, longhornRecords, longhornHome, Object{"apiVersion": "longhorn.io/v1beta2", "kind": "Snapshot",
			"metadata": Object{"name": "snapshot-" + uid, "namespace": longhornHome},
			"status":   Object{field: time.Now().UTC().Format(time.RFC3339)}})
		report("longhorn's record of "+uid, err)
	}
	if style == "longhorn" {
		write()
	} else {
		time.AfterFunc(engineMonitor, write)
	}
}
