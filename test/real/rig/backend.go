package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Backend is Longhorn's own REST API, as its manager answers it for the UI and the CSI driver: what the running engine
// of a volume has at the moment of the call. An older Longhorn's records say the same up to 7 s later.
//
//	POST /v1/volumes/<volume>?action=snapshotGet   {"name": "snapshot-<uid of the VolumeSnapshot>"}
//	POST /v1/volumes/<volume>?action=snapshotList
type Backend struct {
	truth *Truth
	// claim is whose volume it is, "namespace/claim"; "" is nobody's. live is how that one's snapshots are shown.
	claim func(volume string) string
	live  func(claim string) LiveBehaviour

	mu        sync.Mutex
	snapshots map[string]map[string]engineSnapshot // by volume, then by name
	mood      string
	moodUntil time.Time // zero: for ever
	garbage   int       // so many were served
}

// LiveBehaviour is how the snapshots of one disk are shown; durations are in milliseconds.
type LiveBehaviour struct {
	Delay    int  `json:"delay"`     // of each call
	Lies     bool `json:"lies"`      // shown as soon as it is to be made, cut or not
	Removed  bool `json:"removed"`   // marked as removed
	BySystem bool `json:"by_system"` // the engine's own
	Vanishes int  `json:"vanishes"`  // so long after it was first there; 0: it stays
	Others   int  `json:"others"`    // so many older ones of the volume
}

type engineSnapshot struct {
	created string
	since   time.Time
}

const (
	dribbleEvery = 100 * time.Millisecond
	hugeSize     = 8 << 20
	longAgo      = "2026-01-01T00:00:00Z"
	someDay      = "2026-11-29T02:30:00Z"
)

var moods = map[string]bool{"answers": true, "gone": true, "hangs": true, "dribbles": true, "refuses": true, "errors": true,
	"garbage": true, "huge": true, "cut-short": true}

// What is no snapshot, though some of it begins like one.
var garbage = []string{
	"", "null", "[]", "{}", `{"id":"snapshot-`, "<html><body>502 Bad Gateway</body></html>", strings.Repeat("[", 100_000),
	`{"type":"snapshot","name":7,"created":{},"usercreated":"yes","removed":null}`,
	"{\"name\":\"\xff\xfe\",\"created\":\"2026-11-29T02:30:00Z\",\"usercreated\":true,\"removed\":false}",
	`{"id":"another","type":"snapshot","name":"another","created":"2026-11-29T02:30:00Z","usercreated":true,"removed":false,` +
		`"parent":"","children":{"volume-head":true},"size":"0","labels":{},"checksum":""}`,
}

// NewBackend answers well.
func NewBackend(truth *Truth, claim func(string) string, live func(string) LiveBehaviour) *Backend {
	return &Backend{truth: truth, claim: claim, live: live, snapshots: map[string]map[string]engineSnapshot{}, mood: "answers"}
}

// SetMood is how everybody is answered from now on, for so long; 0 is for ever.
func (b *Backend) SetMood(mood string, lasts time.Duration) error {
	if !moods[mood] {
		return fmt.Errorf("mood: Longhorn cannot be %q", mood)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mood, b.moodUntil = mood, time.Time{}
	if lasts > 0 {
		b.moodUntil = time.Now().Add(lasts)
	}
	return nil
}

// Forget is for the end of a scenario.
func (b *Backend) Forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.snapshots, b.mood, b.moodUntil = map[string]map[string]engineSnapshot{}, "answers", time.Time{}
}

// Has is from now on what the engine has; `created` is in whole seconds. What it has already stays as it is.
func (b *Backend) Has(volume, name string, created time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.snapshots[volume] == nil {
		b.snapshots[volume] = map[string]engineSnapshot{}
	}
	if _, there := b.snapshots[volume][name]; !there {
		b.snapshots[volume][name] = engineSnapshot{created.UTC().Format(time.RFC3339), time.Now()}
	}
}

// Lost is what the engine has no longer.
func (b *Backend) Lost(volume, name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.snapshots[volume], name)
}

func (b *Backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	volume := strings.TrimPrefix(r.URL.Path, "/v1/volumes/")
	action := r.URL.Query().Get("action")
	b.truth.Note("longhorn", volume, action)
	var input struct{ Name string }
	_ = json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&input)
	live := b.live(b.claim(volume))
	// Half of the time to the engine and half back: it says what it has in the middle.
	delay := time.Duration(live.Delay) * time.Millisecond
	time.Sleep(delay / 2)
	mood, code, body := b.says(r.Method, volume, action, input.Name, live)
	if mood == "gone" {
		panic(http.ErrAbortHandler)
	}
	time.Sleep(delay - delay/2)
	switch mood {
	case "hangs":
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case "dribbles":
		dribble(w, r, body)
	default:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.WriteHeader(code)
		if mood == "cut-short" {
			body = body[:len(body)/2]
		}
		_, _ = w.Write(body)
	}
}

func dribble(w http.ResponseWriter, r *http.Request, body []byte) {
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	for i := range body {
		_, err := w.Write(body[i : i+1])
		if flusher, ok := w.(http.Flusher); ok {
			flusher.Flush()
		}
		select {
		case <-r.Context().Done():
			return
		case <-time.After(dribbleEvery):
		}
		if err != nil {
			return
		}
	}
}

// says is its mood, and what it answers in it.
func (b *Backend) says(method, volume, action, name string, live LiveBehaviour) (mood string, code int, body []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	mood = b.mood
	if !b.moodUntil.IsZero() && time.Now().After(b.moodUntil) {
		mood = "answers"
	}
	switch mood {
	case "garbage":
		b.garbage++
		// What would be believed.
		now := time.Now().UTC().Format(time.RFC3339)
		return mood, http.StatusOK, []byte(strings.Replace(garbage[b.garbage%len(garbage)], someDay, now, 1))
	case "refuses":
		code, body = failure(503, "Service Unavailable", "no manager is ready")
	case "errors":
		code, body = failure(500, "Server Error", "failed to get snapshot: engine is not running")
	case "huge":
		snapshot := resourceOf(name, engineSnapshot{created: time.Now().UTC().Format(time.RFC3339)}, live)
		snapshot["labels"] = Object{"note": strings.Repeat("x", hugeSize)}
		code, body = http.StatusOK, encoded(snapshot)
	default:
		code, body = b.engineSays(method, volume, action, name, live)
	}
	return mood, code, body
}

func (b *Backend) engineSays(method, volume, action, name string, live LiveBehaviour) (code int, body []byte) {
	if method != http.MethodPost || (action != "snapshotGet" && action != "snapshotList") {
		return failure(404, "Not Found", "Not Found")
	}
	if b.claim(volume) == "" {
		return failure(500, "Server Error", "failed to get volume '"+volume+"': it does not exist")
	}
	shown := func(snapshot engineSnapshot) bool {
		return live.Vanishes == 0 || time.Since(snapshot.since) < time.Duration(live.Vanishes)*time.Millisecond
	}
	if action == "snapshotList" {
		all := []Object{{"id": "volume-head", "type": "snapshot", "name": "volume-head", "created": longAgo, "usercreated": false, "removed": false}}
		for i := range live.Others {
			all = append(all, resourceOf(fmt.Sprintf("snapshot-of-long-ago-%d", i), engineSnapshot{created: longAgo}, live))
		}
		for its, snapshot := range b.snapshots[volume] {
			if shown(snapshot) {
				all = append(all, resourceOf(its, snapshot, live))
			}
		}
		return http.StatusOK, encoded(Object{"type": "collection", "resourceType": "snapshot", "data": all})
	}
	if name == "" {
		return failure(500, "Server Error", "failed to get snapshot: empty snapshot name not allowed")
	}
	snapshot, there := b.snapshots[volume][name]
	if !there || !shown(snapshot) {
		return failure(500, "Server Error", "failed to get snapshot: cannot find snapshot '"+name+"' for volume '"+volume+"'")
	}
	return http.StatusOK, encoded(resourceOf(name, snapshot, live))
}

func resourceOf(name string, snapshot engineSnapshot, live LiveBehaviour) Object {
	return Object{"id": name, "type": "snapshot", "name": name, "created": snapshot.created, "usercreated": !live.BySystem,
		"removed": live.Removed, "parent": "", "children": Object{"volume-head": true}, "size": "0",
		"labels": Object{"type": "snap"}, "checksum": ""}
}

func failure(status int, code, message string) (int, []byte) {
	return status, encoded(Object{"type": "error", "status": status, "code": code, "message": message, "detail": ""})
}

func encoded(object Object) []byte {
	body, err := json.Marshal(object)
	if err != nil {
		panic(err)
	}
	return body
}
