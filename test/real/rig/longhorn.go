package main

import (
	"context"
	"time"
)

const (
	engineMonitor = 5 * time.Second
	// Longhorn's CSI driver polls: the engine monitor, then a tick of 2 s.
	longhornPolls = engineMonitor + 2*time.Second
)

// Longhorn keeps a record of its own of each cut, which says so before its CSI driver does.
type Longhorn struct{ kube *Kube }

// Captured writes the record. A Longhorn up to 1.11 learns of the cut from its engine monitor only; `created` is what
// the engine noted, in whole seconds.
func (l *Longhorn) Captured(ctx context.Context, uid string, created time.Time, recent bool) {
	field := map[bool]string{true: "requestedTime", false: "creationTime"}[recent]
	write := func() {
		_, err := l.kube.Create(ctx, longhornRecords, longhornHome, Object{"apiVersion": "longhorn.io/v1beta2", "kind": "Snapshot",
			"metadata": Object{"name": "snapshot-" + uid, "namespace": longhornHome},
			"status":   Object{field: created.UTC().Format(time.RFC3339)}})
		report("longhorn's record of "+uid, err)
	}
	if recent {
		write()
	} else {
		time.AfterFunc(engineMonitor, write)
	}
}
