package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
)

const (
	// How often Harvester's controller was seen to call freeze before the backup was in error.
	freezeTries = 6
	// Anything else is tried so often; with the pause between, longer than the API server is ever away in a scenario.
	otherTries = 40
	otherRetry = 500 * time.Millisecond
	lookEvery  = 100 * time.Millisecond
	patience   = 5 * time.Minute
)

// HarvesterOptions are what may differ from one backup to another.
type HarvesterOptions struct {
	CreateTwice    int  `json:"create_twice"`     // so many disks are missing in its cache: frozen for and created again
	DisksFirst     int  `json:"disks_first"`      // so many disks in the first reconcile, -1: all ...
	Later          int  `json:"later"`            // ... and the others so many milliseconds later
	StopsAtFailure bool `json:"stops_at_failure"` // 1.9; 1.8 went on to the next disk
	Retries        int  `json:"retries"`          // in a row, of a backup in error when the controller starts ...
	RetryEvery     int  `json:"retry_every"`      // ... so many milliseconds apart
}

// Harvester does what Harvester's backup controller was seen to do: it writes status.volumeBackups, then for each disk, in
// random order, freezes the guest if its agent is connected, and creates the VolumeSnapshot. It never unfreezes. A disk
// that is missing later on is taken when something else happens to the backup. One in error is tried again at each start
// of the controller, whatever its age: a try makes what is missing, or writes the error with a new time.
type Harvester struct {
	kube  *Kube
	rest  rest.Interface // for the freeze subresource
	truth *Truth

	mu      sync.Mutex
	options HarvesterOptions
	begun   map[string]bool          // uid
	running map[string]chan struct{} // "namespace/backup": to be reconciled once more
	stop    chan struct{}            // closed when all is to be forgotten
}

// NewHarvester begins with no backup.
func NewHarvester(kube *Kube, calls rest.Interface, truth *Truth) *Harvester {
	return &Harvester{kube: kube, rest: calls, truth: truth, options: HarvesterOptions{DisksFirst: -1, StopsAtFailure: true, Retries: 5, RetryEvery: 160},
		begun: map[string]bool{}, running: map[string]chan struct{}{}, stop: make(chan struct{})}
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
			h.launch(ctx, backup)
		}
	})
}

// Precondition: the lock is held.
func (h *Harvester) launch(ctx context.Context, backup *unstructured.Unstructured) {
	h.start(ctx, backup, freezeTries)
}

// Precondition: the lock is held. `tries` of freezes, then it is in error.
func (h *Harvester) start(ctx context.Context, backup *unstructured.Unstructured, tries int) {
	key := backup.GetNamespace() + "/" + backup.GetName()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	again, stop := make(chan struct{}, 1), h.stop
	h.running[key] = again
	job := &backupJob{Harvester: h, ns: backup.GetNamespace(), name: backup.GetName(), uid: string(backup.GetUID()),
		options: h.options, again: again, tries: tries, first: time.Now(), versions: map[string]string{}}
	job.vm, _, _ = unstructured.NestedString(backup.Object, "spec", "source", "name")
	job.deadline, _, _ = unstructured.NestedString(backup.Object, "spec", "fsFreezeDeadline")
	go func() {
		select {
		case <-stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	go func() {
		defer cancel()
		err := job.run(ctx)
		h.mu.Lock()
		delete(h.running, key)
		h.mu.Unlock()
		if err != nil && ctx.Err() == nil {
			job.fail(ctx, err)
		}
	}()
}

// ReconcileAgain is what a retry does, so many times; one of a backup in error is a single try.
func (h *Harvester) ReconcileAgain(ctx context.Context, ns, name string, times int, every time.Duration) error {
	if _, err := h.kube.Get(ctx, backups, ns, name); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	go func() {
		for i := range times {
			if i > 0 {
				time.Sleep(every)
			}
			report("retry of "+name, h.retry(ctx, ns, name))
		}
	}()
	return nil
}

func (h *Harvester) retry(ctx context.Context, ns, name string) error {
	backup, err := h.kube.Get(ctx, backups, ns, name)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if again := h.running[ns+"/"+name]; again != nil {
		select {
		case again <- struct{}{}:
		default:
		}
		return nil
	}
	if ready, _, _ := unstructured.NestedBool(backup.Object, "status", "readyToUse"); !ready {
		h.start(ctx, backup, 1)
	}
	return nil
}

// Restart is a start of the controller: it reconciles all that is not ready.
func (h *Harvester) Restart(ctx context.Context) error {
	all, err := h.kube.List(ctx, backups, "")
	if err != nil {
		return err
	}
	h.mu.Lock()
	retries, every := h.options.Retries, time.Duration(h.options.RetryEvery)*time.Millisecond
	h.mu.Unlock()
	for _, backup := range all {
		_, inError, _ := unstructured.NestedMap(backup.Object, "status", "error")
		times := map[bool]int{true: retries, false: 1}[inError]
		if err := h.ReconcileAgain(ctx, backup.GetNamespace(), backup.GetName(), times, every); err != nil {
			return err
		}
	}
	return nil
}

// Forget ends the work on all backups: the scenario is over.
func (h *Harvester) Forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.stop)
	h.stop = make(chan struct{})
}

var errGone = errors.New("it was deleted")

func between(low, high int) time.Duration {
	return time.Duration(low+rand.IntN(high-low+1)) * time.Millisecond
}
