package connections

import (
	"net/http"
	"time"
)

// A stream ends an answer of HTTP/2 that its client does not read. There the deadline
// of the connection is not enough: the client holds back each of its streams by itself
// (RFC 9113, section 5.2), and the server then writes nothing to the connection.
type stream struct {
	http.ResponseWriter
	armed time.Time // when the deadline was last set
}

// Bounded is the ResponseWriter of a request, which ends an answer that is not read,
// over any version of HTTP.
func Bounded(w http.ResponseWriter, r *http.Request) http.ResponseWriter {
	if r.ProtoMajor < 2 {
		return w // the connection does it
	}
	return &stream{ResponseWriter: w}
}

// Unwrap is for http.ResponseController.
func (s *stream) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s *stream) Write(p []byte) (sent int, err error) {
	for {
		if now := time.Now(); now.Sub(s.armed) > rearmed {
			s.armed = now
			if err := http.NewResponseController(s.ResponseWriter).SetWriteDeadline(now.Add(stalled)); err != nil {
				return sent, err
			}
		}
		part := p[sent:min(len(p), sent+piece)]
		n, err := s.ResponseWriter.Write(part)
		sent += n
		if err != nil || sent == len(p) {
			return sent, err
		}
	}
}
