package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

type objectName struct {
	Namespace string `json:"ns"`
	Name      string `json:"name"`
}

type namespaceRequest struct {
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels"`
}

// The ClusterRoles of the tenant: what every tenant may, and the freezing that can be taken away.
var tenantRoles = []string{"tenant", "tenant-freezes"}

// addNamespace makes a namespace in which the tenant may create snapshots and freeze VMs; it may be there already.
func (c *Control) addNamespace(r *http.Request, o namespaceRequest) error {
	_, err := c.kube.Create(r.Context(), namespaces, "", Object{"apiVersion": "v1", "kind": "Namespace",
		"metadata": Object{"name": o.Name, "labels": toObject(o.Labels)}})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	for _, role := range tenantRoles {
		if err != nil {
			break
		}
		_, err = c.kube.Create(r.Context(), bindings, o.Name, Object{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
			"metadata": Object{"name": role},
			"roleRef":  Object{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
			"subjects": []any{Object{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "tenant"}}})
	}
	return err
}

// deny takes freezing away from the tenant, in the namespaces of all VMs that run.
func (c *Control) deny(r *http.Request, o struct {
	User     string `json:"user"`
	Verb     string `json:"verb"`
	Group    string `json:"group"`
	Resource string `json:"resource"`
}) error {
	if o.User != "tenant" || o.Verb != "update" || o.Resource != "virtualmachineinstances/freeze" {
		return fmt.Errorf("only the tenant's freezing can be denied, not %s %s to %s", o.Verb, o.Resource, o.User)
	}
	for ns := range c.machines.namespaces() {
		if err := c.kube.Delete(r.Context(), bindings, ns, "tenant-freezes"); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

// reject refuses an object after its admission by all webhooks, as another cluster admin's policy may.
func (c *Control) reject(ctx context.Context, o objectName) error {
	// A policy of its own for each object; their names may be as long as a policy's.
	name := fmt.Sprintf("reject.%x", sha256.Sum256([]byte(o.Namespace+"/"+o.Name)))
	here := Object{"namespaceSelector": Object{"matchLabels": Object{"kubernetes.io/metadata.name": o.Namespace}},
		"resourceRules": []any{Object{"apiGroups": []any{snapshots.Group}, "apiVersions": []any{snapshots.Version},
			"resources": []any{snapshots.Resource}, "operations": []any{"CREATE"}}}}
	if _, err := c.kube.Create(ctx, policies, "", Object{"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
		"metadata": Object{"name": name},
		"spec": Object{"failurePolicy": "Fail", "matchConstraints": here,
			"validations": []any{Object{"expression": "object.metadata.name != '" + o.Name + "'", "message": "rejected on demand"}}}}); err != nil {
		return err
	}
	_, err := c.kube.Create(ctx, policyBindings, "", Object{"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
		"metadata": Object{"name": name}, "spec": Object{"policyName": name, "validationActions": []any{"Deny"}}})
	return err
}
