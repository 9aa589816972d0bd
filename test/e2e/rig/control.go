package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Control lets a runner say what happens to guests and disks, and ask afterwards what really did: a part of the
// endpoints of the in-memory cluster's sandbox, so that one runner drives both. Durations are in milliseconds.
type Control struct {
	truth     *Truth
	machines  *Machines
	driver    *Driver
	longhorn  *Longhorn
	harvester *Harvester
	kube      *Kube
}

type storageRequest struct {
	Namespace     string   `json:"ns"`
	Claim         string   `json:"pvc"` // with ns: of one disk only
	Style         string   `json:"style"`
	Cut           int      `json:"cut"`
	Ready         int      `json:"ready"`
	InterimErrors int      `json:"interim_errors"`
	Never         bool     `json:"never"`
	CreationTime  *float64 `json:"creation_time"`
}

// Longhorn's CSI driver polls: an engine monitor of 5 s, then a tick of 2 s.
const longhornPolls = 7 * time.Second

// Routes of the control port. An unknown field is a 400 that names it.
func (c *Control) Routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /sandbox/namespaces", handle(c.addNamespace))
	mux.HandleFunc("POST /sandbox/vms", handle(func(r *http.Request, o MachineOptions) error { return c.machines.Add(r.Context(), o) }))
	mux.HandleFunc("POST /sandbox/storage", handle(c.setStorage))
	mux.HandleFunc("POST /sandbox/harvester", handle(func(_ *http.Request, o HarvesterOptions) error {
		c.harvester.SetOptions(o)
		return nil
	}))
	c.guestRoutes(mux)
	mux.HandleFunc("GET /sandbox/now", tell(func() any { return Object{"ms": c.truth.now()} }))
	mux.HandleFunc("GET /sandbox/guests", tell(func() any { return c.truth.Guests() }))
	mux.HandleFunc("GET /sandbox/timeline", tell(func() any { return c.truth.Timeline() }))
	// The API server is a real one and keeps no ledger.
	mux.HandleFunc("GET /sandbox/calls", tell(func() any { return Object{} }))
	mux.HandleFunc("DELETE /sandbox/calls", tell(func() any { return Object{} }))
	return mux
}

func (c *Control) guestRoutes(mux *http.ServeMux) {
	type none struct{}
	plain := func(action string, act func(r *http.Request, ns, name string) error) {
		mux.HandleFunc("POST /sandbox/vms/{ns}/{name}/"+action, handle(func(r *http.Request, _ none) error {
			return act(r, r.PathValue("ns"), r.PathValue("name"))
		}))
	}
	plain("stop", func(r *http.Request, ns, name string) error { return c.machines.Stop(r.Context(), ns, name) })
	plain("start", func(r *http.Request, ns, name string) error { return c.machines.Start(r.Context(), ns, name) })
	plain("restart", func(r *http.Request, ns, name string) error {
		return errors.Join(c.machines.Stop(r.Context(), ns, name), c.machines.Start(r.Context(), ns, name))
	})
	plain("pause", func(r *http.Request, ns, name string) error { return c.machines.Pause(r.Context(), ns, name, true) })
	plain("resume", func(r *http.Request, ns, name string) error { return c.machines.Pause(r.Context(), ns, name, false) })
	mux.HandleFunc("POST /sandbox/vms/{ns}/{name}/migrate", handle(func(r *http.Request, o struct {
		Duration int `json:"duration"`
	}) error {
		return c.machines.Migrate(r.Context(), r.PathValue("ns"), r.PathValue("name"), time.Duration(o.Duration)*time.Millisecond)
	}))
	mux.HandleFunc("POST /sandbox/vms/{ns}/{name}/agent", handle(func(r *http.Request, o struct {
		Connected bool `json:"connected"`
	}) error {
		return c.machines.SetAgent(r.Context(), r.PathValue("ns"), r.PathValue("name"), o.Connected)
	}))
	mux.HandleFunc("POST /sandbox/vms/{ns}/{name}/fault", handle(func(r *http.Request, o GuestFault) error {
		guest := c.machines.Find(r.PathValue("ns"), r.PathValue("name"))
		if guest == nil {
			return fmt.Errorf("VM %s/%s is not running", r.PathValue("ns"), r.PathValue("name"))
		}
		return guest.AddFault(o)
	}))
}

func (c *Control) addNamespace(r *http.Request, o struct {
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels"`
}) error {
	_, err := c.kube.Create(r.Context(), namespaces, "", Object{"apiVersion": "v1", "kind": "Namespace",
		"metadata": Object{"name": o.Name, "labels": toObject(o.Labels)}})
	return err
}

func (c *Control) setStorage(_ *http.Request, o storageRequest) error {
	behaviour := DiskBehaviour{Cut: time.Duration(o.Cut) * time.Millisecond, Ready: time.Duration(o.Ready) * time.Millisecond,
		Errors: o.InterimErrors, Never: o.Never, In1970: o.CreationTime != nil}
	switch o.Style {
	case "", "csi":
	case "longhorn":
		behaviour.Reply = longhornPolls
	default:
		return fmt.Errorf("style: %q must be csi or longhorn", o.Style)
	}
	volume := ""
	if o.Claim != "" {
		volume = o.Namespace + "/" + o.Claim
	} else {
		c.longhorn.enabled.Store(o.Style == "longhorn")
	}
	c.driver.Set(volume, behaviour)
	return nil
}

func tell(what func() any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, what()) }
}

func handle[T any](act func(*http.Request, T) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body T
		decoder := json.NewDecoder(r.Body)
		decoder.DisallowUnknownFields()
		err := decoder.Decode(&body)
		if err == nil {
			err = act(r, body)
		}
		if err != nil {
			refuse(w, 400, err.Error())
			return
		}
		answer(w, 200, Object{})
	}
}
