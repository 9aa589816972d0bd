package main

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// BackupOptions are of a backup of KubeVirt's own.
type BackupOptions struct {
	Name     string `json:"name"`
	Duration int    `json:"duration"` // milliseconds
	Tracker  bool   `json:"tracker"`  // it names one instead of the VM
	Fails    bool   `json:"fails"`
}

// SetVersion of KubeVirt, which says from 1.9 on Complete or Failed, where it said Done.
func (m *Machines) SetVersion(major, minor int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.after18 = major > 1 || minor > 8
}

// KubevirtBackup freezes the guest by itself, and its end thaws it without asking whose freeze it was. It returns when the
// backup is in progress.
func (m *Machines) KubevirtBackup(ctx context.Context, ns, vm string, o BackupOptions) error {
	guest, err := m.need(ns, vm)
	if err != nil {
		return err
	}
	if o.Name == "" {
		o.Name = "kubevirt-backup"
	}
	source := Object{"apiGroup": "kubevirt.io", "kind": "VirtualMachine", "name": vm}
	if o.Tracker {
		tracker := vm + "-tracker"
		_, err := m.kube.Create(ctx, kubevirtTrackers, ns, Object{"apiVersion": "backup.kubevirt.io/v1alpha1",
			"kind": "VirtualMachineBackupTracker", "metadata": Object{"name": tracker, "namespace": ns}, "spec": Object{"source": source}})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return err
		}
		source = Object{"apiGroup": "backup.kubevirt.io", "kind": "VirtualMachineBackupTracker", "name": tracker}
	}
	if _, err := m.kube.Create(ctx, kubevirtBackups, ns, Object{"apiVersion": "backup.kubevirt.io/v1alpha1", "kind": "VirtualMachineBackup",
		"metadata": Object{"name": o.Name, "namespace": ns}, "spec": Object{"source": source, "pvcName": "backup-output"}}); err != nil {
		return err
	}
	say := func(ctx context.Context, conditions ...any) error {
		return m.kube.Merge(ctx, kubevirtBackups, ns, o.Name, Object{"status": Object{"conditions": conditions}}, "status")
	}
	if err := say(ctx, m.condition("Progressing", true)); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	go func() {
		report("freeze of backup "+o.Name, guest.Freeze(snapshotDeadline, "vm-snapshot"))
		time.Sleep(time.Duration(o.Duration) * time.Millisecond)
		report("thaw of backup "+o.Name, guest.Unfreeze("vm-snapshot"))
		report("backup "+o.Name, say(ctx, m.condition("Progressing", false), m.condition(m.lastWord(o.Fails), true)))
	}()
	return nil
}

func (m *Machines) condition(kind string, holds bool) Object {
	return Object{"type": kind, "status": map[bool]string{true: "True", false: "False"}[holds],
		"lastTransitionTime": time.Now().UTC().Format(time.RFC3339)}
}

func (m *Machines) lastWord(failed bool) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case !m.after18:
		return "Done"
	case failed:
		return "Failed"
	}
	return "Complete"
}
