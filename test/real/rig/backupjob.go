package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// backupJob is one backup on its way.
type backupJob struct {
	*Harvester
	ns, name, uid, vm, deadline string
	options                     HarvesterOptions
	again                       <-chan struct{}
	tries                       int // of freezes
	disks                       []string

	first    time.Time         // when the first reconcile was
	created  int               // disks so far
	versions map[string]string // of its snapshots, as last seen
}

// run returns when the backup is ready or gone, or with what it fails by.
func (j *backupJob) run(ctx context.Context) error {
	if err := j.begin(ctx); err != nil {
		return err
	}
	j.truth.Note("backup", j.ns+"/"+j.name, "started")
	freezeFailures, failures := 0, 0
	for occasion := true; ; {
		missing, ready, changed, err := j.look(ctx)
		if errors.Is(err, errGone) {
			return nil
		}
		if err == nil && ready == len(j.disks) {
			err = j.finish(ctx)
			if err == nil {
				return nil
			}
		}
		if err == nil && len(missing) > 0 && (occasion || changed || j.secondRoundIsDue()) {
			err = j.takeMissing(ctx, missing)
		}
		occasion = err != nil
		pause := lookEvery
		switch {
		case err == nil:
		case errors.As(err, new(*freezeFailed)):
			freezeFailures++
			pause = between(45, 70)
		default:
			failures++
			pause = otherRetry
		}
		if freezeFailures == j.tries || failures == otherTries || (err != nil && j.tries == 1) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-j.again:
			occasion = true
		case <-time.After(pause):
		}
	}
}

func (j *backupJob) begin(ctx context.Context) error {
	vm, err := j.kube.Get(ctx, vms, j.ns, j.vm)
	if err != nil {
		return err
	}
	var list []any
	volumes, _, _ := unstructured.NestedSlice(vm.Object, "spec", "template", "spec", "volumes")
	for _, volume := range volumes {
		if claim, found, _ := unstructured.NestedString(volume.(Object), "persistentVolumeClaim", "claimName"); found {
			j.disks = append(j.disks, claim)
			list = append(list, Object{"name": j.snapshot(claim), "readyToUse": false,
				"persistentVolumeClaim": Object{"metadata": Object{"name": claim, "namespace": j.ns}}})
		}
	}
	return j.putStatus(ctx, func(status Object) {
		if status["volumeBackups"] == nil {
			status["volumeBackups"], status["readyToUse"] = list, false
		}
	})
}

// putStatus writes the whole object: the kind has no status subresource.
func (j *backupJob) putStatus(ctx context.Context, change func(status Object)) error {
	return j.kube.Put(ctx, backups, j.ns, j.name, func(object Object) {
		status, ok := object["status"].(Object)
		if !ok {
			status = Object{}
			object["status"] = status
		}
		change(status)
	})
}

func (j *backupJob) snapshot(disk string) string { return j.name + "-volume-" + disk }

// look tells which disks have no snapshot, how many have one that is ready, and whether any changed since the last look. A
// deleted one changes nothing: it wakes nobody.
func (j *backupJob) look(ctx context.Context) (missing []string, ready int, changed bool, err error) {
	backup, err := j.kube.Get(ctx, backups, j.ns, j.name)
	if apierrors.IsNotFound(err) || (err == nil && string(backup.GetUID()) != j.uid) {
		return nil, 0, false, errGone
	}
	if err != nil {
		return nil, 0, false, err
	}
	list, err := j.kube.List(ctx, snapshots, j.ns)
	if err != nil {
		return nil, 0, false, err
	}
	known := map[string]*unstructured.Unstructured{}
	for i := range list {
		known[list[i].GetName()] = &list[i]
	}
	for _, disk := range j.disks {
		snapshot := known[j.snapshot(disk)]
		if snapshot == nil {
			missing = append(missing, disk)
			continue
		}
		if yes, _, _ := unstructured.NestedBool(snapshot.Object, "status", "readyToUse"); yes {
			ready++
		}
		changed = changed || j.versions[disk] != snapshot.GetResourceVersion()
		j.versions[disk] = snapshot.GetResourceVersion()
	}
	return missing, ready, changed, nil
}

func (j *backupJob) secondRoundIsDue() bool {
	return j.options.DisksFirst >= 0 && j.created == j.options.DisksFirst && !j.isFirstRound()
}

func (j *backupJob) isFirstRound() bool {
	return j.options.DisksFirst >= 0 && time.Since(j.first) < time.Duration(j.options.Later)*time.Millisecond
}

func (j *backupJob) takeMissing(ctx context.Context, disks []string) error {
	rand.Shuffle(len(disks), func(a, b int) { disks[a], disks[b] = disks[b], disks[a] })
	var failed error
	for _, disk := range disks {
		if j.isFirstRound() && j.created >= j.options.DisksFirst {
			return nil
		}
		times := 1
		if j.created < j.options.CreateTwice {
			times = 2
		}
		for range times {
			if err := j.freezeAndCreate(ctx, disk); err != nil {
				if j.options.StopsAtFailure {
					return err
				}
				failed = err
				break
			}
			time.Sleep(between(30, 70))
		}
		j.created++
	}
	return failed
}

// freezeFailed is counted apart from what else may go wrong.
type freezeFailed struct{ error }

func (j *backupJob) freezeAndCreate(ctx context.Context, disk string) error {
	agent, err := j.agentConnected(ctx)
	if err != nil {
		return err
	}
	// The annotation comes first: it is there also when the freeze fails.
	froze := map[bool]string{true: "true", false: "false"}[agent]
	if err := j.kube.Merge(ctx, backups, j.ns, j.name,
		Object{"metadata": Object{"annotations": Object{"harvesterhci.io/snapshotFreezeFS": froze}}}); err != nil {
		return err
	}
	if agent {
		if err := j.freeze(ctx); err != nil {
			return &freezeFailed{err}
		}
	}
	time.Sleep(between(4, 50))
	begun := time.Now()
	_, err = j.kube.Create(ctx, snapshots, j.ns, Object{
		"apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshot",
		"metadata": Object{"name": j.snapshot(disk), "namespace": j.ns,
			"annotations": Object{"harvesterhci.io/storageProvisioner": driverName},
			"ownerReferences": []any{Object{"apiVersion": "harvesterhci.io/v1beta1", "kind": "VirtualMachineBackup",
				"name": j.name, "uid": j.uid, "controller": true}}},
		"spec": Object{"source": Object{"persistentVolumeClaimName": disk}, "volumeSnapshotClassName": "longhorn-snapshot"},
	})
	j.truth.Note("admission", j.ns+"/"+j.snapshot(disk), fmt.Sprintf("created in %d ms", time.Since(begun).Milliseconds()))
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

func (j *backupJob) agentConnected(ctx context.Context) (bool, error) {
	vmi, err := j.kube.Get(ctx, vmis, j.ns, j.vm)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	conditions, _, _ := unstructured.NestedSlice(vmi.Object, "status", "conditions")
	for _, condition := range conditions {
		c := condition.(Object)
		if c["type"] == "AgentConnected" && c["status"] == "True" {
			return true, nil
		}
	}
	return false, nil
}

func (j *backupJob) freeze(ctx context.Context) error {
	deadline := j.deadline
	if deadline == "" {
		deadline = "1s"
	}
	return j.rest.Put().AbsPath("/apis/subresources.kubevirt.io/v1/namespaces", j.ns, "virtualmachineinstances", j.vm, "freeze").
		SetHeader("Content-Type", "application/json").Body([]byte(`{"unfreezeTimeout":"` + deadline + `"}`)).Do(ctx).Error()
}

func (j *backupJob) finish(ctx context.Context) error {
	now := time.Now().UTC().Format(time.RFC3339)
	err := j.putStatus(ctx, func(status Object) {
		status["readyToUse"] = true
		status["conditions"] = []any{Object{"type": "Ready", "status": "True", "lastTransitionTime": now}}
		delete(status, "error")
	})
	if err == nil {
		j.truth.Note("backup", j.ns+"/"+j.name, "ready")
	}
	return err
}

func (j *backupJob) fail(ctx context.Context, why error) {
	j.truth.Note("backup", j.ns+"/"+j.name, "error: "+why.Error())
	report("backup "+j.name, j.putStatus(ctx, func(status Object) {
		status["error"] = Object{"message": why.Error(), "time": time.Now().UTC().Format(time.RFC3339)}
	}))
}
