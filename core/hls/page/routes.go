package page

import (
	"net/http"
	"strings"
)

// cors answers pages of any origin, as a demonstration wants it.
func cors(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		if origin == "" {
			next.ServeHTTP(w, r)
			return
		}
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Add("Vary", "Origin")
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			h.Set("Access-Control-Allow-Methods", "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT")
			h.Set("Access-Control-Max-Age", "600")
			if want := r.Header.Get("Access-Control-Request-Headers"); want != "" {
				h.Set("Access-Control-Allow-Headers", want)
			}
			h.Set("Content-Type", "text/plain; charset=utf-8")
			_, _ = w.Write([]byte("OK")) // the client went away
			return
		}
		next.ServeHTTP(w, r)
	})
}

func parameter(name, kind, text string) map[string]any {
	return map[string]any{
		"name": name, "in": "query", "required": false, "description": text,
		"schema": map[string]any{"type": kind},
	}
}

func route(summary string, parameters ...map[string]any) map[string]any {
	if parameters == nil {
		parameters = []map[string]any{}
	}
	return map[string]any{
		"summary": summary, "parameters": parameters,
		"responses": map[string]any{"200": map[string]any{"description": "Successful Response"}},
	}
}

// openapi describes the routes that this site has.
func (s *Site) openapi(w http.ResponseWriter, _ *http.Request) {
	paths := map[string]any{"/page.json": map[string]any{"get": route("Where the stream is and how its clocks lie")}}
	if s.cfg.Video != "" {
		file := parameter("fileName", "string", "playlist or segment")
		file["in"], file["required"] = "path", true
		paths["/video/{fileName}"] = map[string]any{"get": route("A playlist or segment", file)}
	}
	if s.cfg.Markers != nil {
		paths["/markers"] = map[string]any{
			"get":  route("Markers later than a time: JSON inside a JSON string", parameter("ts_start", "number", "seconds, default -1.0")),
			"post": route(`Set a marker: {"time": seconds, "text": "", "data": any}`),
		}
		paths["/timeline"] = map[string]any{"get": route("Markers as JSON",
			parameter("epoch", "integer", "run of the stream, default the current one, -1 all"), parameter("after", "integer", "id"),
			parameter("from", "number", "seconds"), parameter("until", "number", "seconds"), parameter("limit", "integer", "1 to 100000"))}
		paths["/timeline/events"] = map[string]any{"get": route("Server-sent events: marker, epoch", parameter("after", "integer", "id"))}
	}
	if s.cfg.Telemetry != nil {
		paths["/telemetry"] = map[string]any{"get": route("Decoded records of a stretch of time",
			parameter("pts", "integer", "90 kHz ticks"), parameter("ticks", "integer", "its length"))}
		paths["/telemetry/track"] = map[string]any{"get": route("Positions", parameter("points", "integer", "1 to 5000"))}
	}
	send(w, http.StatusOK, map[string]any{
		"openapi": "3.0.2",
		"info":    map[string]any{"title": s.cfg.Title, "version": "1"}, "paths": paths,
	})
}

// docs lists the routes for people.
func (s *Site) docs(w http.ResponseWriter, _ *http.Request) {
	var b strings.Builder
	b.WriteString("<!doctype html><meta charset=utf-8><title>Routes</title><h1>Routes</h1><ul>")
	list := []string{"/page.json", "/openapi.json"}
	if s.cfg.Video != "" {
		list = append(list, "/video/{fileName}")
	}
	if s.cfg.Markers != nil {
		list = append(list, "/markers?ts_start=", "/timeline", "/timeline/events")
	}
	if s.cfg.Telemetry != nil {
		list = append(list, "/telemetry?pts=&ticks=", "/telemetry/track?points=")
	}
	for _, x := range list {
		b.WriteString("<li><code>" + x + "</code>")
	}
	b.WriteString(`</ul><p><a href="openapi.json">openapi.json</a>`)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(b.String())) // the client went away
}
