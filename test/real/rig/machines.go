package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

const (
	// How often virt-handler asks the guest agent whether the filesystems are frozen.
	pollInterval = 5 * time.Second
	shutDown     = 500 * time.Millisecond
	bootAgain    = time.Second
	agentComes   = 2 * time.Second
	bindingTakes = 20 * time.Second // at most
	// Keeps the VMI there while its guest shuts down.
	vmiFinalizer = "kubevirt.io/foregroundDeleteVirtualMachine"
)

// MachineOptions describe a VM of a scenario.
type MachineOptions struct {
	Namespace   string            `json:"ns"`
	Name        string            `json:"name"`
	Disks       int               `json:"disks"`
	HotPlugged  int               `json:"hot_plugged"` // of the running VMI only
	Shares      []string          `json:"shares"`      // claims of other VMs that it has too
	Running     bool              `json:"running"`
	Ended       string            `json:"ended"` // Succeeded or Failed: not running, but its VMI is still there, in that phase
	Agent       bool              `json:"agent"`
	Windows     bool              `json:"windows"`
	FreezeMS    int               `json:"freeze_latency"` // milliseconds
	ThawMS      int               `json:"thaw_latency"`
	Annotations map[string]string `json:"annotations"`
	Guest       string            `json:"guest"` // socket of a real guest, which then says itself whether it has an agent
}

// Machines keep the objects of VMs and VMIs as KubeVirt would, and their guests.
type Machines struct {
	kube  *Kube
	truth *Truth

	mu      sync.Mutex
	guests  map[string]*Guest // "namespace/vm", of all VMs that have a VMI
	all     map[string]MachineOptions
	volumes map[string]string // handle -> "namespace/claim"
	// storage is how a disk is treated, "namespace/claim".
	storage func(claim string) DiskBehaviour
	after18 bool // KubeVirt from 1.9 on: its backups end with Complete or Failed, not with Done
}

// Find returns the guest of a VMI, or nil.
func (m *Machines) Find(ns, name string) *Guest {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.guests[ns+"/"+name]
}

func (m *Machines) need(ns, name string) (*Guest, error) {
	if guest := m.Find(ns, name); guest != nil {
		return guest, nil
	}
	return nil, fmt.Errorf("VM %s/%s is not running", ns, name)
}

func (m *Machines) options(ns, name string) MachineOptions {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.all[ns+"/"+name]
}

// Add makes a VM, its claims with volumes of our driver, and its VMI if it runs.
func (m *Machines) Add(ctx context.Context, o MachineOptions) error {
	own := append(o.ownDisks(), o.hotDisks()...)
	for _, claim := range own {
		if err := m.addDisk(ctx, o.Namespace, claim); err != nil {
			return err
		}
	}
	for _, claim := range own {
		if err := m.awaitBound(ctx, o.Namespace, claim); err != nil {
			return err
		}
	}
	m.mu.Lock()
	m.all[o.Namespace+"/"+o.Name] = o
	m.mu.Unlock()
	if err := m.createVM(ctx, o); err != nil || (!o.Running && o.Ended == "") {
		return err
	}
	if o.Ended != "" {
		return m.startEnded(ctx, o)
	}
	return m.Start(ctx, o.Namespace, o.Name)
}

func (m *Machines) createVM(ctx context.Context, o MachineOptions) error {
	var disks []any
	for i, claim := range o.disks() {
		disks = append(disks, Object{"name": fmt.Sprintf("disk-%d", i), "persistentVolumeClaim": Object{"claimName": claim}})
	}
	_, err := m.kube.Create(ctx, vms, o.Namespace, Object{"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine",
		"metadata": Object{"name": o.Name, "namespace": o.Namespace, "annotations": toObject(o.Annotations)},
		"spec":     Object{"template": Object{"spec": Object{"volumes": disks}}}})
	return err
}

func (m *Machines) addDisk(ctx context.Context, ns, claim string) error {
	storage := Object{"storage": "1Gi"}
	volume := fmt.Sprintf("pvc-%x", sha256.Sum256([]byte(ns+"/"+claim)))
	driver, handle := driverName, ns+"/"+claim
	if m.storage(ns + "/" + claim).IsLonghorn() {
		driver, handle = longhornDriverName, volume
	}
	m.mu.Lock()
	m.volumes[handle] = ns + "/" + claim
	m.mu.Unlock()
	_, err := m.kube.Create(ctx, volumes, "", Object{"apiVersion": "v1", "kind": "PersistentVolume",
		"metadata": Object{"name": volume},
		"spec": Object{"capacity": storage, "accessModes": []any{"ReadWriteOnce"}, "storageClassName": "rig",
			"claimRef": Object{"namespace": ns, "name": claim},
			"csi":      Object{"driver": driver, "volumeHandle": handle}}})
	if err != nil {
		return err
	}
	_, err = m.kube.Create(ctx, claims, ns, Object{"apiVersion": "v1", "kind": "PersistentVolumeClaim",
		"metadata": Object{"name": claim, "namespace": ns},
		"spec": Object{"accessModes": []any{"ReadWriteOnce"}, "storageClassName": "rig", "volumeName": volume,
			"resources": Object{"requests": storage}}})
	return err
}

// awaitBound waits for the volume controller: the claims of a VM that runs are bound, or nobody could snapshot them.
func (m *Machines) awaitBound(ctx context.Context, ns, claim string) error {
	for end := time.Now().Add(bindingTakes); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		object, err := m.kube.Get(ctx, claims, ns, claim)
		if err != nil {
			return err
		}
		status, _ := object.Object["status"].(Object)
		if status["phase"] == "Bound" {
			return nil
		}
	}
	return fmt.Errorf("claim %s/%s is not bound after %s", ns, claim, bindingTakes)
}

// ClaimOf is whose volume a handle names, "namespace/claim", or "".
func (m *Machines) ClaimOf(handle string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.volumes[handle]
}

// Start makes the VMI, with a uid of its own.
func (m *Machines) Start(ctx context.Context, ns, name string) error {
	if err := m.clearEnded(ctx, ns, name); err != nil {
		return err
	}
	return m.boot(ctx, ns, name, m.options(ns, name).Agent)
}

func (m *Machines) boot(ctx context.Context, ns, name string, agent bool) error {
	key := ns + "/" + name
	o := m.options(ns, name)
	vmi, err := m.createVMI(ctx, o)
	if err != nil {
		return err
	}
	m.truth.Note("power", key, "on")
	m.holdDisks(o, true)
	volumes, err := m.createPods(ctx, o, vmi)
	if err != nil {
		return err
	}
	guest := &Guest{name: key, windows: o.Windows, truth: m.truth, running: true,
		filesystems: noFilesystems{time.Duration(o.FreezeMS) * time.Millisecond, time.Duration(o.ThawMS) * time.Millisecond}}
	if o.Guest != "" {
		qemu := RealGuest{o.Guest}
		if agent, err = qemu.Connected(); err != nil {
			return err
		}
		guest.filesystems = qemu
		// As soon as it can be found.
		defer func() { go m.followAgent(key, guest, qemu, agent) }()
	}
	m.mu.Lock()
	m.guests[key] = guest
	m.mu.Unlock()
	return m.status(ctx, ns, name, withAgent(o, agent, false, Object{"phase": "Running", "volumeStatus": volumes}))
}

// Stop marks the VMI as being deleted; the guest goes down a moment later, and then the object. It returns at once.
func (m *Machines) Stop(ctx context.Context, ns, name string) error {
	return m.shutDown(ctx, ns, name, func() {})
}

// Restart stops the VM and starts it again; its agent connects a moment after that.
func (m *Machines) Restart(ctx context.Context, ns, name string) error {
	ctx = context.WithoutCancel(ctx)
	return m.shutDown(ctx, ns, name, func() {
		time.Sleep(bootAgain)
		if !report("start "+ns+"/"+name, m.boot(ctx, ns, name, false)) {
			return
		}
		time.Sleep(agentComes)
		if o := m.options(ns, name); o.Agent && m.Find(ns, name) != nil {
			report("agent of "+ns+"/"+name, m.SetAgent(ctx, ns, name, true))
		}
	})
}

func (m *Machines) shutDown(ctx context.Context, ns, name string, then func()) error {
	guest, err := m.need(ns, name)
	if err != nil {
		return err
	}
	if !guest.beginShutDown() {
		return nil
	}
	if err := m.kube.Delete(ctx, vmis, ns, name); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	time.AfterFunc(shutDown, func() {
		m.mu.Lock()
		delete(m.guests, ns+"/"+name)
		m.mu.Unlock()
		m.powerOff(ctx, guest, m.options(ns, name), "")
		report("end of "+ns+"/"+name, m.kube.Merge(ctx, vmis, ns, name, Object{"metadata": Object{"finalizers": nil}}))
		then()
	})
	return nil
}

// namespaces of the VMs that run.
func (m *Machines) namespaces() map[string]bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := map[string]bool{}
	for key := range m.guests {
		found[m.all[key].Namespace] = true
	}
	return found
}

// StopAll ends every guest: the scenario is over.
func (m *Machines) StopAll(ctx context.Context) {
	m.mu.Lock()
	var running []MachineOptions
	for key := range m.guests {
		running = append(running, m.all[key])
	}
	m.mu.Unlock()
	for _, o := range running {
		report("stop "+o.Name, m.Stop(ctx, o.Namespace, o.Name))
	}
}

// SetAgent connects or disconnects the guest agent.
func (m *Machines) SetAgent(ctx context.Context, ns, name string, connected bool) error {
	return m.status(ctx, ns, name, withAgent(m.options(ns, name), connected, false, Object{}))
}

// Pause pauses or resumes the guest.
func (m *Machines) Pause(ctx context.Context, ns, name string, paused bool) error {
	guest, err := m.need(ns, name)
	if err != nil {
		return err
	}
	guest.SetPaused(paused)
	o := m.options(ns, name)
	return m.status(ctx, ns, name, withAgent(o, o.Agent, paused, Object{}))
}

// Migrate moves the guest away from its timer: what was frozen stays so until it is thawed again.
func (m *Machines) Migrate(ctx context.Context, ns, name string, duration time.Duration) error {
	guest, err := m.need(ns, name)
	if err != nil {
		return err
	}
	guest.SetMigrating(true)
	start := time.Now().UTC().Format(time.RFC3339)
	if err := m.status(ctx, ns, name, Object{"migrationState": Object{"startTimestamp": start, "migrationUid": start}}); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	time.AfterFunc(duration, func() {
		guest.SetMigrating(false)
		report("migration of "+name, m.status(ctx, ns, name, Object{"migrationState": Object{"completed": true,
			"endTimestamp": time.Now().UTC().Format(time.RFC3339)}}))
	})
	return nil
}

func (m *Machines) status(ctx context.Context, ns, name string, fields Object) error {
	return m.kube.Merge(ctx, vmis, ns, name, Object{"status": fields}, "status")
}

// Poll reports what the agents say, every five seconds.
func (m *Machines) Poll(ctx context.Context) {
	said := map[*Guest]bool{}
	for ticker := time.NewTicker(pollInterval); ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		m.mu.Lock()
		options := make(map[*Guest]MachineOptions, len(m.guests))
		for key, guest := range m.guests {
			options[guest] = m.all[key]
		}
		m.mu.Unlock()
		for guest, o := range options {
			if frozen := guest.Frozen(); frozen != said[guest] {
				err := m.status(ctx, o.Namespace, o.Name, Object{"fsFreezeStatus": map[bool]any{true: "frozen", false: nil}[frozen]})
				// What could not be said is said at the next poll.
				if err == nil || apierrors.IsNotFound(err) {
					said[guest] = frozen
				}
			}
		}
	}
}

// withAgent adds to `status` what KubeVirt shows of the guest's agent, and whether it is paused.
func withAgent(o MachineOptions, agent, paused bool, status Object) Object {
	list := []any{Object{"type": "Ready", "status": "True"}}
	if agent {
		list = append(list, Object{"type": "AgentConnected", "status": "True"})
		status["guestOSInfo"] = Object{"id": map[bool]any{true: "mswindows", false: "debian"}[o.Windows]}
	}
	if paused {
		list = append(list, Object{"type": "Paused", "status": "True"})
	}
	status["conditions"] = list
	return status
}

func toObject(annotations map[string]string) Object {
	result := Object{}
	for key, value := range annotations {
		result[key] = value
	}
	return result
}
