package main

import (
	"context"
	"log"
	"sync/atomic"
	"time"
)

// Longhorn keeps a record of its own of each cut, which says so before its CSI driver does.
type Longhorn struct {
	kube    *Kube
	enabled atomic.Bool
}

// Captured writes the record, if this storage is Longhorn.
func (l *Longhorn) Captured(ctx context.Context, uid string) {
	if !l.enabled.Load() {
		return
	}
	now := time.Now().UTC().Format(time.RFC3339)
	_, err := l.kube.Create(ctx, longhornRecords, longhornHome, Object{"apiVersion": "longhorn.io/v1beta2", "kind": "Snapshot",
		"metadata": Object{"name": "snapshot-" + uid, "namespace": longhornHome},
		"status":   Object{"requestedTime": now}})
	if err != nil {
		log.Printf("longhorn record of %s: %v", uid, err)
	}
}
