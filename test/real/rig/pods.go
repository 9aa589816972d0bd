package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// How long the default service account of a new namespace may take, without which no pod is admitted.
const accountComes = 10 * time.Second

func (o MachineOptions) ownDisks() []string {
	var claims []string
	for i := range o.Disks {
		claims = append(claims, fmt.Sprintf("%s-disk-%d", o.Name, i))
	}
	return claims
}

func (o MachineOptions) hotDisks() []string {
	var claims []string
	for i := range o.HotPlugged {
		claims = append(claims, fmt.Sprintf("%s-hot-%d", o.Name, i))
	}
	return claims
}

func (o MachineOptions) disks() []string { return append(o.ownDisks(), o.Shares...) }

func (m *Machines) holdDisks(o MachineOptions, on bool) {
	for _, claim := range append(o.disks(), o.hotDisks()...) {
		m.truth.Held(o.Namespace+"/"+claim, "vm "+o.Namespace+"/"+o.Name, on)
	}
}

func owner(version, kind string, of *unstructured.Unstructured) Object {
	return Object{"apiVersion": version, "kind": kind, "name": of.GetName(), "uid": string(of.GetUID()),
		"controller": true, "blockOwnerDeletion": true}
}

// createVMI has the VM's volumes and those that are plugged in.
func (m *Machines) createVMI(ctx context.Context, o MachineOptions) (*unstructured.Unstructured, error) {
	vm, err := m.kube.Get(ctx, vms, o.Namespace, o.Name)
	if err != nil {
		return nil, err
	}
	list, _, _ := unstructured.NestedSlice(vm.Object, "spec", "template", "spec", "volumes")
	for _, claim := range o.hotDisks() {
		list = append(list, Object{"name": claim, "persistentVolumeClaim": Object{"claimName": claim, "hotpluggable": true}})
	}
	return m.kube.Create(ctx, vmis, o.Namespace, Object{"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance",
		"metadata": Object{"name": o.Name, "namespace": o.Namespace, "annotations": toObject(o.Annotations),
			"finalizers": []any{vmiFinalizer}, "ownerReferences": []any{owner("kubevirt.io/v1", "VirtualMachine", vm)}},
		"spec": Object{"volumes": list}})
}

// createPods makes the launcher, and a pod for each disk that is plugged in. It returns what the VMI says of the latter.
func (m *Machines) createPods(ctx context.Context, o MachineOptions, vmi *unstructured.Unstructured) ([]any, error) {
	launcher, err := m.createPod(ctx, o.Namespace, fmt.Sprintf("virt-launcher-%.40s-%05x", o.Name, rand.IntN(1<<20)),
		Object{"kubevirt.io": "virt-launcher", "kubevirt.io/created-by": string(vmi.GetUID()), "vm.kubevirt.io/name": fmt.Sprintf("%.63s", o.Name)},
		owner("kubevirt.io/v1", "VirtualMachineInstance", vmi), o.disks())
	if err != nil {
		return nil, err
	}
	said := []any{}
	for _, claim := range o.hotDisks() {
		pod, err := m.createPod(ctx, o.Namespace, fmt.Sprintf("hp-volume-%05x", rand.IntN(1<<20)), Object{"kubevirt.io": "hotplug-disk"},
			owner("v1", "Pod", launcher), []string{claim})
		if err != nil {
			return nil, err
		}
		said = append(said, Object{"name": claim, "phase": "Ready",
			"hotplugVolume": Object{"attachPodName": pod.GetName(), "attachPodUID": string(pod.GetUID())}})
	}
	return said, nil
}

// createPod makes one that no node runs, and says that it does.
func (m *Machines) createPod(ctx context.Context, ns, name string, labels Object, of Object, disks []string) (*unstructured.Unstructured, error) {
	list := []any{Object{"name": "private", "emptyDir": Object{}}}
	for i, claim := range disks {
		list = append(list, Object{"name": fmt.Sprintf("disk-%d", i), "persistentVolumeClaim": Object{"claimName": claim}})
	}
	for deadline := time.Now().Add(accountComes); ; time.Sleep(50 * time.Millisecond) {
		pod, err := m.kube.Create(ctx, pods, ns, Object{"apiVersion": "v1", "kind": "Pod",
			"metadata": Object{"name": name, "namespace": ns, "labels": labels, "ownerReferences": []any{of}},
			"spec":     Object{"containers": []any{Object{"name": "compute", "image": "none"}}, "volumes": list}})
		if err == nil {
			return pod, m.kube.Merge(ctx, pods, ns, name, Object{"status": Object{"phase": "Running"}}, "status")
		}
		if !apierrors.IsForbidden(err) || time.Now().After(deadline) {
			return nil, err
		}
	}
}

// endPods lets the launcher end as its guest did; "": it goes with its VMI. Pods of what was plugged in go at once.
func (m *Machines) endPods(ctx context.Context, o MachineOptions, phase string) {
	list, err := m.kube.List(ctx, pods, o.Namespace)
	report("pods of "+o.Name, err)
	launchers := map[string]bool{}
	for _, pod := range list {
		if pod.GetLabels()["vm.kubevirt.io/name"] == fmt.Sprintf("%.63s", o.Name) {
			launchers[string(pod.GetUID())] = true
		}
	}
	for _, pod := range list {
		owners := pod.GetOwnerReferences()
		attached := len(owners) > 0 && launchers[string(owners[0].UID)]
		switch {
		case attached || (launchers[string(pod.GetUID())] && phase == ""):
			report("pod "+pod.GetName(), m.kube.Delete(ctx, pods, o.Namespace, pod.GetName()))
		case launchers[string(pod.GetUID())]:
			report("pod "+pod.GetName(), m.kube.Merge(ctx, pods, o.Namespace, pod.GetName(), Object{"status": Object{"phase": phase}}, "status"))
		}
	}
}

// Kubelet runs the pods that others than KubeVirt make, and knows which disks they have.
type Kubelet struct {
	kube  *Kube
	truth *Truth
	holds map[string]bool // "pod namespace/name namespace/claim"
}

// Run returns when the context ends.
func (k *Kubelet) Run(ctx context.Context) {
	k.kube.FollowDeletions(ctx, pods, func(pod *unstructured.Unstructured) { k.follow(ctx, pod, false) },
		func(pod *unstructured.Unstructured) { k.follow(ctx, pod, true) })
}

func (k *Kubelet) follow(ctx context.Context, pod *unstructured.Unstructured, gone bool) {
	if pod.GetLabels()["kubevirt.io"] != "" || pod.GetNamespace() == "snapfreeze-system" {
		return
	}
	phase, _, _ := unstructured.NestedString(pod.Object, "status", "phase")
	if phase == "Pending" && !gone {
		report("pod "+pod.GetName(), k.kube.Merge(ctx, pods, pod.GetNamespace(), pod.GetName(), Object{"status": Object{"phase": "Running"}}, "status"))
		return
	}
	runs := phase == "Running" && !gone
	list, _, _ := unstructured.NestedSlice(pod.Object, "spec", "volumes")
	for _, volume := range list {
		claim, found, _ := unstructured.NestedString(volume.(Object), "persistentVolumeClaim", "claimName")
		by := "pod " + pod.GetNamespace() + "/" + pod.GetName()
		if key := by + " " + pod.GetNamespace() + "/" + claim; found && k.holds[key] != runs {
			k.holds[key] = runs
			k.truth.Held(pod.GetNamespace()+"/"+claim, by, runs)
		}
	}
}
