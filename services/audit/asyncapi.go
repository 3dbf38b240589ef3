package audit

import "net/http"

// serveAsyncAPI describes the log for programs. It is made at the first request and kept.
func (a *Audit) serveAsyncAPI(w http.ResponseWriter, r *http.Request) {
	text, err := a.asyncAPI()
	if err != nil {
		a.Signing.Logger.Error("the AsyncAPI document cannot be made", "error", err)
		http.Error(w, "the document cannot be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/vnd.aai.asyncapi+json;version=3.0.0")
	w.Header().Set("Cache-Control", "max-age=300")
	w.Write(text)
}
