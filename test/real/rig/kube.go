package main

import (
	"context"
	"encoding/json"
	"log"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

var (
	backups          = schema.GroupVersionResource{Group: "harvesterhci.io", Version: "v1beta1", Resource: "virtualmachinebackups"}
	vms              = schema.GroupVersionResource{Group: "kubevirt.io", Version: "v1", Resource: "virtualmachines"}
	vmis             = schema.GroupVersionResource{Group: "kubevirt.io", Version: "v1", Resource: "virtualmachineinstances"}
	snapshots        = schema.GroupVersionResource{Group: "snapshot.storage.k8s.io", Version: "v1", Resource: "volumesnapshots"}
	classes          = schema.GroupVersionResource{Group: "snapshot.storage.k8s.io", Version: "v1", Resource: "volumesnapshotclasses"}
	longhornRecords  = schema.GroupVersionResource{Group: "longhorn.io", Version: "v1beta2", Resource: "snapshots"}
	kubevirtBackups  = schema.GroupVersionResource{Group: "backup.kubevirt.io", Version: "v1alpha1", Resource: "virtualmachinebackups"}
	kubevirtTrackers = schema.GroupVersionResource{Group: "backup.kubevirt.io", Version: "v1alpha1", Resource: "virtualmachinebackuptrackers"}
	kubevirtSnaps    = schema.GroupVersionResource{Group: "snapshot.kubevirt.io", Version: "v1beta1", Resource: "virtualmachinesnapshots"}
	pods             = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	claims           = schema.GroupVersionResource{Version: "v1", Resource: "persistentvolumeclaims"}
	volumes          = schema.GroupVersionResource{Version: "v1", Resource: "persistentvolumes"}
	namespaces       = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	bindings         = schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "rolebindings"}
	policies         = schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingadmissionpolicies"}
	policyBindings   = schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingadmissionpolicybindings"}
	longhornHome     = "longhorn-system"
	harvesterAccount = "system:serviceaccount:harvester-system:harvester"
)

// Object is an unstructured object's content.
type Object = map[string]any

// Kube is a client that acts as one user.
type Kube struct{ client dynamic.Interface }

// NewKube impersonates `user`, or acts as the kubeconfig's own user when it is "".
func NewKube(kubeconfig, user string) (*Kube, *rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, nil, err
	}
	config.QPS, config.Burst = 500, 1000
	if user != "" {
		config.Impersonate = rest.ImpersonationConfig{UserName: user,
			Groups: []string{"system:serviceaccounts", "system:serviceaccounts:harvester-system", "system:authenticated"}}
	}
	client, err := dynamic.NewForConfig(config)
	return &Kube{client}, config, err
}

// Create stores an object.
func (k *Kube) Create(ctx context.Context, resource schema.GroupVersionResource, ns string, object Object) (*unstructured.Unstructured, error) {
	return k.client.Resource(resource).Namespace(ns).Create(ctx, &unstructured.Unstructured{Object: object}, metav1.CreateOptions{})
}

// Get reads an object.
func (k *Kube) Get(ctx context.Context, resource schema.GroupVersionResource, ns, name string) (*unstructured.Unstructured, error) {
	return k.client.Resource(resource).Namespace(ns).Get(ctx, name, metav1.GetOptions{})
}

// List reads all objects of a namespace.
func (k *Kube) List(ctx context.Context, resource schema.GroupVersionResource, ns string) ([]unstructured.Unstructured, error) {
	list, err := k.client.Resource(resource).Namespace(ns).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

// Delete deletes an object.
func (k *Kube) Delete(ctx context.Context, resource schema.GroupVersionResource, ns, name string) error {
	return k.client.Resource(resource).Namespace(ns).Delete(ctx, name, metav1.DeleteOptions{})
}

// Merge applies a merge patch to an object, or to its subresource "status".
func (k *Kube) Merge(ctx context.Context, resource schema.GroupVersionResource, ns, name string, patch Object, subresource ...string) error {
	body, err := json.Marshal(patch)
	if err != nil {
		return err
	}
	_, err = k.client.Resource(resource).Namespace(ns).Patch(ctx, name, types.MergePatchType, body, metav1.PatchOptions{}, subresource...)
	return err
}

// Put writes the whole object after `change`, as often as somebody else was quicker.
func (k *Kube) Put(ctx context.Context, resource schema.GroupVersionResource, ns, name string, change func(Object)) error {
	for {
		object, err := k.Get(ctx, resource, ns, name)
		if err != nil {
			return err
		}
		change(object.Object)
		_, err = k.client.Resource(resource).Namespace(ns).Update(ctx, object, metav1.UpdateOptions{})
		if !apierrors.IsConflict(err) {
			return err
		}
	}
}

// Follow calls `seen` for each object that exists or changes, until the context ends. It lists anew when a watch ends.
func (k *Kube) Follow(ctx context.Context, resource schema.GroupVersionResource, seen func(*unstructured.Unstructured)) {
	k.FollowDeletions(ctx, resource, seen, func(*unstructured.Unstructured) {})
}

// FollowDeletions calls `gone`, too, for each that is deleted, unless that happens between two watches.
func (k *Kube) FollowDeletions(ctx context.Context, resource schema.GroupVersionResource, seen, gone func(*unstructured.Unstructured)) {
	for ctx.Err() == nil {
		k.followOnce(ctx, resource, seen, gone)
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (k *Kube) followOnce(ctx context.Context, resource schema.GroupVersionResource, seen, gone func(*unstructured.Unstructured)) {
	list, err := k.client.Resource(resource).List(ctx, metav1.ListOptions{})
	if err != nil {
		log.Printf("list %s: %v", resource.Resource, err)
		return
	}
	for i := range list.Items {
		seen(&list.Items[i])
	}
	watch, err := k.client.Resource(resource).Watch(ctx, metav1.ListOptions{ResourceVersion: list.GetResourceVersion()})
	if err != nil {
		return
	}
	defer watch.Stop()
	for event := range watch.ResultChan() {
		object, ok := event.Object.(*unstructured.Unstructured)
		if !ok {
			return
		}
		if event.Type == "ADDED" || event.Type == "MODIFIED" {
			seen(object)
		}
		if event.Type == "DELETED" {
			gone(object)
		}
	}
}
