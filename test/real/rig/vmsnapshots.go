package main

import (
	"context"
	"log"
	"time"
)

// KubeVirt's failure deadline, which it uses as the time-out of its own freeze.
const snapshotDeadline = 300 * time.Second

// Snapshot is KubeVirt's own VirtualMachineSnapshot: it freezes the guest by itself, and its end thaws it without asking
// whose freeze it was. It returns when the snapshot is in progress.
func (m *Machines) Snapshot(ctx context.Context, ns, vm, name string, duration time.Duration) error {
	guest, err := m.need(ns, vm)
	if err != nil {
		return err
	}
	if _, err := m.kube.Create(ctx, kubevirtSnaps, ns, Object{"apiVersion": "snapshot.kubevirt.io/v1beta1",
		"kind": "VirtualMachineSnapshot", "metadata": Object{"name": name, "namespace": ns},
		"spec": Object{"source": Object{"apiGroup": "kubevirt.io", "kind": "VirtualMachine", "name": vm}}}); err != nil {
		return err
	}
	say := func(ctx context.Context, inProgress any, status Object) error {
		if err := m.kube.Merge(ctx, vms, ns, vm, Object{"status": Object{"snapshotInProgress": inProgress}}, "status"); err != nil {
			return err
		}
		return m.kube.Merge(ctx, kubevirtSnaps, ns, name, Object{"status": status}, "status")
	}
	if err := say(ctx, name, Object{"phase": "InProgress", "readyToUse": false}); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	go func() {
		report("freeze of snapshot "+name, guest.Freeze(snapshotDeadline, "vm-snapshot"))
		time.Sleep(duration)
		report("thaw of snapshot "+name, guest.Unfreeze("vm-snapshot"))
		now := time.Now().UTC().Format(time.RFC3339)
		report("snapshot "+name, say(ctx, nil, Object{"phase": "Succeeded", "readyToUse": true, "creationTime": now}))
	}()
	return nil
}

// report logs what goes wrong beside a scenario; its expectations will show whether it mattered.
func report(what string, err error) bool {
	if err != nil {
		log.Printf("%s: %v", what, err)
	}
	return err == nil
}
