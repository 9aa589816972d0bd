package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
)

// freezeTries is how often Harvester's controller was seen to call freeze before the backup was in error.
const freezeTries = 6

// HarvesterOptions are what may differ from one backup to another.
type HarvesterOptions struct {
	CreateTwice int `json:"create_twice"` // so many disks are missing in its cache: frozen for and created again
	DisksFirst  int `json:"disks_first"`  // so many disks in the first reconcile, -1: all ...
	Later       int `json:"later"`        // ... and the others so many milliseconds later
}

// Harvester does what Harvester's backup controller was seen to do: it writes status.volumeBackups, then for each disk, in
// random order, freezes the guest if its agent is connected, and creates the VolumeSnapshot. It never unfreezes.
type Harvester struct {
	kube  *Kube
	rest  rest.Interface // for the freeze subresource
	truth *Truth

	mu      sync.Mutex
	begun   map[string]bool // uid
	options HarvesterOptions
}

// SetOptions holds for the backups that appear from then on.
func (h *Harvester) SetOptions(options HarvesterOptions) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.options = options
}

// Run takes every backup that appears.
func (h *Harvester) Run(ctx context.Context) {
	h.kube.Follow(ctx, backups, func(backup *unstructured.Unstructured) {
		h.mu.Lock()
		defer h.mu.Unlock()
		if uid := string(backup.GetUID()); !h.begun[uid] {
			h.begun[uid] = true
			go h.take(ctx, backup, h.options)
		}
	})
}

func (h *Harvester) take(ctx context.Context, backup *unstructured.Unstructured, options HarvesterOptions) {
	ns, name := backup.GetNamespace(), backup.GetName()
	vm, _, _ := unstructured.NestedString(backup.Object, "spec", "source", "name")
	disks, agent, err := h.disksOf(ctx, ns, vm)
	if err != nil {
		h.fail(ctx, ns, name, err)
		return
	}
	var list []any
	for _, disk := range disks {
		list = append(list, Object{"name": name + "-volume-" + disk, "persistentVolumeClaim": Object{"metadata": Object{"name": disk}}})
	}
	if err := h.kube.Merge(ctx, backups, ns, name, Object{"status": Object{"volumeBackups": list, "readyToUse": false}}, "status"); err != nil {
		h.fail(ctx, ns, name, err)
		return
	}
	h.truth.Note("backup", ns+"/"+name, "started")
	rand.Shuffle(len(disks), func(i, j int) { disks[i], disks[j] = disks[j], disks[i] })
	for i, disk := range disks {
		if i == options.DisksFirst {
			time.Sleep(time.Duration(options.Later) * time.Millisecond)
		}
		times := 1
		if i < options.CreateTwice {
			times = 2
		}
		for range times {
			if err := h.freezeAndCreate(ctx, backup, vm, disk, agent); err != nil {
				h.fail(ctx, ns, name, err)
				return
			}
			time.Sleep(between(30, 70))
		}
	}
	h.awaitReady(ctx, ns, name, disks)
}

func (h *Harvester) disksOf(ctx context.Context, ns, vm string) (disks []string, agent bool, err error) {
	object, err := h.kube.Get(ctx, vms, ns, vm)
	if err != nil {
		return nil, false, err
	}
	list, _, _ := unstructured.NestedSlice(object.Object, "spec", "template", "spec", "volumes")
	for _, volume := range list {
		if claim, found, _ := unstructured.NestedString(volume.(Object), "persistentVolumeClaim", "claimName"); found {
			disks = append(disks, claim)
		}
	}
	vmi, err := h.kube.Get(ctx, vmis, ns, vm)
	if apierrors.IsNotFound(err) {
		return disks, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	conditions, _, _ := unstructured.NestedSlice(vmi.Object, "status", "conditions")
	for _, condition := range conditions {
		c := condition.(Object)
		agent = agent || (c["type"] == "AgentConnected" && c["status"] == "True")
	}
	return disks, agent, nil
}

func (h *Harvester) freezeAndCreate(ctx context.Context, backup *unstructured.Unstructured, vm, disk string, agent bool) error {
	ns, name := backup.GetNamespace(), backup.GetName()
	if agent {
		if err := h.freeze(ctx, backup, vm); err != nil {
			return err
		}
	}
	froze := map[bool]string{true: "true", false: "false"}[agent]
	_ = h.kube.Merge(ctx, backups, ns, name, Object{"metadata": Object{"annotations": Object{"harvesterhci.io/snapshotFreezeFS": froze}}})
	time.Sleep(between(4, 50))
	_, err := h.kube.Create(ctx, snapshots, ns, Object{
		"apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshot",
		"metadata": Object{"name": name + "-volume-" + disk, "namespace": ns,
			"annotations": Object{"harvesterhci.io/storageProvisioner": driverName},
			"ownerReferences": []any{Object{"apiVersion": "harvesterhci.io/v1beta1", "kind": "VirtualMachineBackup",
				"name": name, "uid": string(backup.GetUID()), "controller": true}}},
		"spec": Object{"source": Object{"persistentVolumeClaimName": disk}, "volumeSnapshotClassName": "rig"},
	})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

func (h *Harvester) freeze(ctx context.Context, backup *unstructured.Unstructured, vm string) error {
	deadline, found, _ := unstructured.NestedString(backup.Object, "spec", "fsFreezeDeadline")
	if !found {
		deadline = "1s"
	}
	var err error
	for range freezeTries {
		err = h.rest.Put().AbsPath("/apis/subresources.kubevirt.io/v1/namespaces", backup.GetNamespace(), "virtualmachineinstances", vm, "freeze").
			SetHeader("Content-Type", "application/json").Body([]byte(`{"unfreezeTimeout":"` + deadline + `"}`)).Do(ctx).Error()
		if err == nil {
			return nil
		}
		time.Sleep(between(45, 70))
	}
	return err
}

func (h *Harvester) awaitReady(ctx context.Context, ns, name string, disks []string) {
	deadline := time.Now().Add(5 * time.Minute)
	for ctx.Err() == nil && time.Now().Before(deadline) {
		ready := 0
		for _, disk := range disks {
			snapshot, err := h.kube.Get(ctx, snapshots, ns, name+"-volume-"+disk)
			if err != nil {
				continue
			}
			if yes, _, _ := unstructured.NestedBool(snapshot.Object, "status", "readyToUse"); yes {
				ready++
			}
		}
		if ready == len(disks) {
			now := time.Now().UTC().Format(time.RFC3339)
			_ = h.kube.Merge(ctx, backups, ns, name, Object{"status": Object{"readyToUse": true,
				"conditions": []any{Object{"type": "Ready", "status": "True", "lastTransitionTime": now}}}}, "status")
			h.truth.Note("backup", ns+"/"+name, "ready")
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	h.fail(ctx, ns, name, errors.New("its snapshots did not become ready in 5 minutes"))
}

func (h *Harvester) fail(ctx context.Context, ns, name string, err error) {
	h.truth.Note("backup", ns+"/"+name, "error: "+err.Error())
	_ = h.kube.Merge(ctx, backups, ns, name, Object{"status": Object{"error": Object{"message": err.Error()}}}, "status")
}

func between(low, high int) time.Duration {
	return time.Duration(low+rand.IntN(high-low+1)) * time.Millisecond
}
