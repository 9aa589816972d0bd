package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// pollInterval is how often virt-handler asks the guest agent whether the filesystems are frozen.
const pollInterval = 5 * time.Second

// MachineOptions describe a VM of a scenario.
type MachineOptions struct {
	Namespace   string            `json:"ns"`
	Name        string            `json:"name"`
	Disks       int               `json:"disks"`
	Running     bool              `json:"running"`
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

	mu     sync.Mutex
	guests map[string]*Guest // "namespace/vm", of running VMs
	all    map[string]MachineOptions
}

// Find returns the guest of a running VMI, or nil.
func (m *Machines) Find(ns, name string) *Guest {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.guests[ns+"/"+name]
}

// Add makes a VM, its namespace when there is none, its claims with volumes of our driver, and its VMI if it runs.
func (m *Machines) Add(ctx context.Context, o MachineOptions) error {
	_, err := m.kube.Create(ctx, namespaces, "", Object{"apiVersion": "v1", "kind": "Namespace", "metadata": Object{"name": o.Namespace}})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	var disks []any
	for i := range o.Disks {
		claim := fmt.Sprintf("%s-disk-%d", o.Name, i)
		if err := m.addDisk(ctx, o.Namespace, claim); err != nil {
			return err
		}
		disks = append(disks, Object{"name": claim, "persistentVolumeClaim": Object{"claimName": claim}})
	}
	m.mu.Lock()
	m.all[o.Namespace+"/"+o.Name] = o
	m.mu.Unlock()
	_, err = m.kube.Create(ctx, vms, o.Namespace, Object{"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine",
		"metadata": Object{"name": o.Name, "namespace": o.Namespace, "annotations": toObject(o.Annotations)},
		"spec":     Object{"template": Object{"spec": Object{"volumes": disks}}}})
	if err != nil || !o.Running {
		return err
	}
	return m.Start(ctx, o.Namespace, o.Name)
}

func (m *Machines) addDisk(ctx context.Context, ns, claim string) error {
	storage := Object{"storage": "1Gi"}
	_, err := m.kube.Create(ctx, volumes, "", Object{"apiVersion": "v1", "kind": "PersistentVolume",
		"metadata": Object{"name": ns + "." + claim},
		"spec": Object{"capacity": storage, "accessModes": []any{"ReadWriteOnce"}, "storageClassName": "rig",
			"claimRef": Object{"namespace": ns, "name": claim},
			"csi":      Object{"driver": driverName, "volumeHandle": ns + "/" + claim}}})
	if err != nil {
		return err
	}
	_, err = m.kube.Create(ctx, claims, ns, Object{"apiVersion": "v1", "kind": "PersistentVolumeClaim",
		"metadata": Object{"name": claim, "namespace": ns},
		"spec": Object{"accessModes": []any{"ReadWriteOnce"}, "storageClassName": "rig", "volumeName": ns + "." + claim,
			"resources": Object{"requests": storage}}})
	return err
}

// Start makes the VMI, with a uid of its own.
func (m *Machines) Start(ctx context.Context, ns, name string) error {
	key := ns + "/" + name
	m.mu.Lock()
	o, known := m.all[key]
	m.mu.Unlock()
	if !known {
		return fmt.Errorf("no VM %s", key)
	}
	vm, err := m.kube.Get(ctx, vms, ns, name)
	if err != nil {
		return err
	}
	spec := vm.Object["spec"].(Object)["template"].(Object)["spec"]
	if _, err := m.kube.Create(ctx, vmis, ns, Object{"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance",
		"metadata": Object{"name": name, "namespace": ns, "annotations": toObject(o.Annotations)}, "spec": spec}); err != nil {
		return err
	}
	m.truth.Note("power", key, "on")
	guest := &Guest{name: key, windows: o.Windows, truth: m.truth, running: true,
		filesystems: noFilesystems{time.Duration(o.FreezeMS) * time.Millisecond, time.Duration(o.ThawMS) * time.Millisecond}}
	if o.Guest != "" {
		qemu := RealGuest{o.Guest}
		if o.Agent, err = qemu.Connected(); err != nil {
			return err
		}
		guest.filesystems = qemu
		// As soon as it can be found.
		defer func() { go m.followAgent(key, guest, qemu, o.Agent) }()
	}
	m.mu.Lock()
	m.guests[key] = guest
	m.mu.Unlock()
	system := Object{"id": "debian"}
	if o.Windows {
		system = Object{"id": "mswindows"}
	}
	if !o.Agent {
		system = Object{}
	}
	return m.Status(ctx, ns, name, Object{"phase": "Running", "guestOSInfo": system,
		"conditions": conditions(o.Agent, false)})
}

// Stop ends the guest and deletes its VMI.
func (m *Machines) Stop(ctx context.Context, ns, name string) error {
	key := ns + "/" + name
	m.mu.Lock()
	guest := m.guests[key]
	delete(m.guests, key)
	m.mu.Unlock()
	if guest == nil {
		return fmt.Errorf("VM %s is not running", key)
	}
	guest.PowerOff()
	m.truth.Note("power", key, "off")
	return m.kube.Delete(ctx, vmis, ns, name)
}

// SetAgent connects or disconnects the guest agent.
func (m *Machines) SetAgent(ctx context.Context, ns, name string, connected bool) error {
	m.mu.Lock()
	o := m.all[ns+"/"+name]
	o.Agent = connected
	m.all[ns+"/"+name] = o
	m.mu.Unlock()
	return m.Status(ctx, ns, name, Object{"conditions": conditions(connected, false)})
}

// Pause pauses or resumes the guest.
func (m *Machines) Pause(ctx context.Context, ns, name string, paused bool) error {
	m.mu.Lock()
	agent := m.all[ns+"/"+name].Agent
	m.mu.Unlock()
	return m.Status(ctx, ns, name, Object{"conditions": conditions(agent, paused)})
}

// Migrate moves the guest away from its timer: what was frozen stays so until it is thawed again.
func (m *Machines) Migrate(ctx context.Context, ns, name string, duration time.Duration) error {
	guest := m.Find(ns, name)
	if guest == nil {
		return fmt.Errorf("VM %s/%s is not running", ns, name)
	}
	setMigrating := func(migrating bool) {
		guest.mu.Lock()
		guest.migrating = migrating
		guest.mu.Unlock()
	}
	setMigrating(true)
	start := time.Now().UTC().Format(time.RFC3339)
	if err := m.Status(ctx, ns, name, Object{"migrationState": Object{"startTimestamp": start, "migrationUid": start}}); err != nil {
		return err
	}
	time.AfterFunc(duration, func() {
		guest.disarm("unfreeze")
		setMigrating(false)
		_ = m.Status(ctx, ns, name, Object{"migrationState": Object{"completed": true,
			"endTimestamp": time.Now().UTC().Format(time.RFC3339)}})
	})
	return nil
}

// Status merges into the VMI's status.
func (m *Machines) Status(ctx context.Context, ns, name string, fields Object) error {
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
				said[guest] = frozen
				_ = m.Status(ctx, o.Namespace, o.Name, Object{"fsFreezeStatus": map[bool]any{true: "frozen", false: nil}[frozen]})
			}
		}
	}
}

func conditions(agent, paused bool) []any {
	list := []any{Object{"type": "Ready", "status": "True"}}
	if agent {
		list = append(list, Object{"type": "AgentConnected", "status": "True"})
	}
	if paused {
		list = append(list, Object{"type": "Paused", "status": "True"})
	}
	return list
}

func toObject(annotations map[string]string) Object {
	result := Object{}
	for key, value := range annotations {
		result[key] = value
	}
	return result
}
