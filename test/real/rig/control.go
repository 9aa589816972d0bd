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
	backend   *Backend
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
	Fails         bool     `json:"fails"`
	ErrorRetry    int      `json:"error_retry"` // the sidecar has a pace of its own
	Never         bool     `json:"never"`
	CreationTime  *float64 `json:"creation_time"`
	// What Longhorn's own API shows, and whether any object says in the end that it is cut.
	Live     LiveBehaviour `json:"live"`
	Reported *bool         `json:"reported"`
}

// Routes of the control port. An unknown field is a 400 that names it.
func (c *Control) Routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /sandbox/namespaces", handle(c.addNamespace))
	mux.HandleFunc("POST /sandbox/vms", handle(func(r *http.Request, o MachineOptions) error {
		if err := c.addNamespace(r, namespaceRequest{Name: o.Namespace}); err != nil {
			return err
		}
		return c.machines.Add(r.Context(), o)
	}))
	mux.HandleFunc("POST /sandbox/storage", handle(c.setStorage))
	mux.HandleFunc("POST /sandbox/longhorn", handle(func(_ *http.Request, o struct {
		Mood string `json:"mood"`
		For  int    `json:"for"`
	}) error {
		return c.backend.SetMood(o.Mood, time.Duration(o.For)*time.Millisecond)
	}))
	mux.HandleFunc("POST /sandbox/harvester", handle(func(_ *http.Request, o HarvesterOptions) error {
		c.harvester.SetOptions(o)
		return nil
	}))
	mux.HandleFunc("POST /sandbox/harvester/reconcile", handle(func(r *http.Request, o struct {
		Namespace string `json:"ns"`
		Name      string `json:"name"`
		Times     int    `json:"times"`
		Every     int    `json:"every"`
	}) error {
		return c.harvester.ReconcileAgain(r.Context(), o.Namespace, o.Name, max(o.Times, 1), time.Duration(o.Every)*time.Millisecond)
	}))
	mux.HandleFunc("POST /sandbox/harvester/restart", handle(func(r *http.Request, _ struct{}) error {
		return c.harvester.Restart(r.Context())
	}))
	mux.HandleFunc("POST /sandbox/kubevirt", handle(func(_ *http.Request, o struct {
		Major int `json:"major"`
		Minor int `json:"minor"`
	}) error {
		c.machines.SetVersion(o.Major, o.Minor)
		return nil
	}))
	mux.HandleFunc("POST /sandbox/admission", handle(func(r *http.Request, o struct {
		Reject struct {
			objectName
			Times int `json:"times"`
		} `json:"reject"`
	}) error {
		if o.Reject.Times >= 0 {
			return errors.New("times: a policy refuses always, which is -1")
		}
		return c.reject(r.Context(), o.Reject.objectName)
	}))
	mux.HandleFunc("POST /sandbox/access", handle(c.deny))
	// Not of the sandbox, which lives for one scenario only.
	mux.HandleFunc("POST /sandbox/end", handle(func(r *http.Request, _ struct{}) error {
		c.harvester.Forget()
		c.backend.Forget()
		c.machines.SetVersion(1, 8)
		c.machines.StopAll(r.Context())
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
		return c.machines.Restart(r.Context(), ns, name)
	})
	plain("pause", func(r *http.Request, ns, name string) error { return c.machines.Pause(r.Context(), ns, name, true) })
	plain("resume", func(r *http.Request, ns, name string) error { return c.machines.Pause(r.Context(), ns, name, false) })
	plain("shut-down-inside", func(r *http.Request, ns, name string) error {
		return c.machines.End(r.Context(), ns, name, "Succeeded")
	})
	plain("crash", func(r *http.Request, ns, name string) error { return c.machines.End(r.Context(), ns, name, "Failed") })
	plain("recreate", func(r *http.Request, ns, name string) error { return c.machines.Recreate(r.Context(), ns, name) })
	mux.HandleFunc("POST /sandbox/vms/{ns}/{name}/kubevirt-backup", handle(func(r *http.Request, o BackupOptions) error {
		return c.machines.KubevirtBackup(r.Context(), r.PathValue("ns"), r.PathValue("name"), o)
	}))
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
	mux.HandleFunc("POST /sandbox/vms/{ns}/{name}/snapshot", handle(func(r *http.Request, o struct {
		Name     string `json:"name"`
		Duration int    `json:"duration"`
	}) error {
		return c.machines.Snapshot(r.Context(), r.PathValue("ns"), r.PathValue("name"), o.Name, time.Duration(o.Duration)*time.Millisecond)
	}))
	mux.HandleFunc("POST /sandbox/vms/{ns}/{name}/fault", handle(func(r *http.Request, o GuestFault) error {
		guest, err := c.machines.need(r.PathValue("ns"), r.PathValue("name"))
		if err != nil {
			return err
		}
		return guest.AddFault(o)
	}))
}

func (c *Control) setStorage(r *http.Request, o storageRequest) error {
	behaviour := DiskBehaviour{Style: o.Style, Live: o.Live, Silent: o.Reported != nil && !*o.Reported, Cut: time.Duration(o.Cut) * time.Millisecond, Ready: time.Duration(o.Ready) * time.Millisecond,
		Errors: o.InterimErrors, Fails: o.Fails, Never: o.Never, In1970: o.CreationTime != nil}
	switch o.Style {
	case "", "csi":
	case "longhorn", "old-longhorn":
		behaviour.Reply = longhornPolls
	default:
		return fmt.Errorf("style: %q must be csi, longhorn or old-longhorn", o.Style)
	}
	if o.Claim != "" {
		if behaviour.IsLonghorn() != c.driver.Of("").IsLonghorn() {
			return errors.New("style: the class of all snapshots has one driver")
		}
		c.driver.Set(o.Namespace+"/"+o.Claim, behaviour)
		return nil
	}
	c.driver.Set("", behaviour)
	driver := map[bool]string{true: longhornDriverName, false: driverName}[behaviour.IsLonghorn()]
	return c.kube.Merge(r.Context(), classes, "", "longhorn-snapshot", Object{"driver": driver})
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
