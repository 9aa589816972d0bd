package main

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// powerOff ends a guest with its pods; its VMI stays in `phase`, unless that is "".
func (m *Machines) powerOff(ctx context.Context, guest *Guest, o MachineOptions, phase string) {
	if guest.PowerOff() {
		m.truth.Note("power", guest.name, "off")
		m.holdDisks(o, false)
	}
	m.endPods(ctx, o, phase)
	if phase != "" {
		report("end of "+guest.name, m.status(ctx, o.Namespace, o.Name, Object{"phase": phase, "fsFreezeStatus": nil,
			"conditions": []any{Object{"type": "Ready", "status": "False", "reason": "GuestNotRunning"}}}))
	}
}

// End is a shutdown from inside (Succeeded) or a crash (Failed).
func (m *Machines) End(ctx context.Context, ns, name, phase string) error {
	guest, err := m.need(ns, name)
	if err != nil {
		return err
	}
	m.powerOff(ctx, guest, m.options(ns, name), phase)
	return nil
}

// startEnded makes the VMI of a guest that ended before all began.
func (m *Machines) startEnded(ctx context.Context, o MachineOptions) error {
	vmi, err := m.createVMI(ctx, o)
	if err != nil {
		return err
	}
	if _, err := m.createPods(ctx, o, vmi); err != nil {
		return err
	}
	guest := &Guest{name: o.Namespace + "/" + o.Name, truth: m.truth, filesystems: noFilesystems{}}
	m.mu.Lock()
	m.guests[guest.name] = guest
	m.mu.Unlock()
	m.powerOff(ctx, guest, o, o.Ended)
	return nil
}

// clearEnded takes away the VMI of a guest that ended by itself, so that another can be made.
func (m *Machines) clearEnded(ctx context.Context, ns, name string) error {
	if m.Find(ns, name) == nil {
		return nil
	}
	m.mu.Lock()
	delete(m.guests, ns+"/"+name)
	m.mu.Unlock()
	if err := m.kube.Delete(ctx, vmis, ns, name); err != nil {
		return err
	}
	m.endPods(ctx, m.options(ns, name), "")
	return m.kube.Merge(ctx, vmis, ns, name, Object{"metadata": Object{"finalizers": nil}})
}

// Recreate makes a VM again that was deleted, with the disks that are still there.
func (m *Machines) Recreate(ctx context.Context, ns, name string) error {
	if m.Find(ns, name) != nil {
		return fmt.Errorf("VM %s/%s still runs", ns, name)
	}
	if err := m.createVM(ctx, m.options(ns, name)); err != nil {
		return err
	}
	return m.Start(ctx, ns, name)
}

// FollowDeletions ends the guest whose VMI, or whose VM, somebody has deleted; of a VMI alone another is made.
func (m *Machines) FollowDeletions(ctx context.Context) {
	m.kube.Follow(ctx, vmis, func(vmi *unstructured.Unstructured) {
		ns, name := vmi.GetNamespace(), vmi.GetName()
		if vmi.GetDeletionTimestamp() == nil || m.Find(ns, name) == nil {
			return
		}
		report("deletion of "+name, m.shutDown(ctx, ns, name, func() {
			time.Sleep(bootAgain)
			if _, err := m.kube.Get(ctx, vms, ns, name); !apierrors.IsNotFound(err) && m.Find(ns, name) == nil {
				report("start of "+name, m.boot(ctx, ns, name, m.options(ns, name).Agent))
			}
		}))
	})
}
