package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Control lets a runner say what happens to guests and disks, and ask afterwards what really did.
type Control struct {
	truth    *Truth
	machines *Machines
	driver   *Driver
	longhorn *Longhorn
}

type target struct {
	Namespace string `json:"ns"`
	Name      string `json:"name"`
}

type diskRequest struct {
	Volume   string `json:"volume"` // "namespace/claim"; "" for all
	CutMS    int    `json:"cut_ms"`
	ReplyMS  int    `json:"reply_ms"`
	Errors   int    `json:"errors"`
	Fail     bool   `json:"fail"`
	Longhorn bool   `json:"longhorn"`
}

// Routes of the control port. Each takes and gives JSON; an error is a 400 that says what is wrong.
func (c *Control) Routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /vms", handle(func(r *http.Request, o MachineOptions) error { return c.machines.Add(r.Context(), o) }))
	mux.HandleFunc("POST /vms/start", handle(func(r *http.Request, t target) error {
		return c.machines.Start(r.Context(), t.Namespace, t.Name)
	}))
	mux.HandleFunc("POST /vms/stop", handle(func(r *http.Request, t target) error {
		return c.machines.Stop(r.Context(), t.Namespace, t.Name)
	}))
	mux.HandleFunc("POST /vms/restart", handle(func(r *http.Request, t target) error {
		return errors.Join(c.machines.Stop(r.Context(), t.Namespace, t.Name), c.machines.Start(r.Context(), t.Namespace, t.Name))
	}))
	mux.HandleFunc("POST /vms/agent", handle(func(r *http.Request, o struct {
		target
		Connected bool `json:"connected"`
		Paused    bool `json:"paused"`
	}) error {
		return c.machines.SetAgent(r.Context(), o.Namespace, o.Name, o.Connected, o.Paused)
	}))
	mux.HandleFunc("POST /vms/migrate", handle(func(r *http.Request, o struct {
		target
		MS int `json:"ms"`
	}) error {
		return c.machines.Migrate(r.Context(), o.Namespace, o.Name, time.Duration(o.MS)*time.Millisecond)
	}))
	mux.HandleFunc("POST /vms/fault", handle(func(_ *http.Request, o struct {
		target
		GuestFault
	}) error {
		guest := c.machines.Find(o.Namespace, o.target.Name)
		if guest == nil {
			return fmt.Errorf("VM %s/%s is not running", o.Namespace, o.target.Name)
		}
		return guest.AddFault(o.GuestFault)
	}))
	mux.HandleFunc("POST /disks", handle(func(_ *http.Request, o diskRequest) error {
		c.longhorn.enabled.Store(o.Longhorn)
		c.driver.Set(o.Volume, DiskBehaviour{time.Duration(o.CutMS) * time.Millisecond,
			time.Duration(o.ReplyMS) * time.Millisecond, o.Errors, o.Fail})
		return nil
	}))
	mux.HandleFunc("GET /truth", func(w http.ResponseWriter, _ *http.Request) {
		c.truth.mu.Lock()
		defer c.truth.mu.Unlock()
		answer(w, 200, Object{"now": c.truth.now(), "frozen": c.truth.frozen, "cuts": c.truth.cuts, "events": c.truth.events})
	})
	return mux
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
