package provenance

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"

	"hubledger/services/internal/image"
)

const (
	payloadType = "application/vnd.in-toto+json"
	bundleType  = "application/vnd.dev.sigstore.bundle.v0.3+json"
)

// A bundle is Sigstore's (protobuf-specs, bundle v0.3, in JSON): a DSSE envelope, and
// what it is verified with.
type (
	bundle struct {
		MediaType    string   `json:"mediaType"`
		Verification material `json:"verificationMaterial"`
		Envelope     envelope `json:"dsseEnvelope"`
	}
	material struct {
		PublicKey hint `json:"publicKey"`
	}
	hint struct {
		Hint string `json:"hint"`
	}
	envelope struct {
		Payload     []byte      `json:"payload"`
		PayloadType string      `json:"payloadType"`
		Signatures  []signature `json:"signatures"`
	}
	// The keyid that DSSE allows is left out: verifiers compare it with ids that they
	// make in ways of their own.
	signature struct {
		Sig []byte `json:"sig"`
	}
)

// Sign is the statement as it stands beside the image: an artifact that cosign verifies
// with the public key.
func Sign(statement []byte, key *Key) (image.Artifact, error) {
	sig := ed25519.Sign(key.private, preAuthentication(statement))
	content, err := json.Marshal(bundle{MediaType: bundleType, Verification: material{hint{key.ID()}},
		Envelope: envelope{Payload: statement, PayloadType: payloadType, Signatures: []signature{{sig}}}})
	return image.Artifact{Type: bundleType, Content: content,
		Annotations: map[string]string{"dev.sigstore.bundle.content": "dsse-envelope", "dev.sigstore.bundle.predicateType": PredicateType}}, err
}

// preAuthentication is what DSSE signs: the type and the payload with their lengths.
func preAuthentication(payload []byte) []byte {
	return append(fmt.Appendf(nil, "DSSEv1 %d %s %d ", len(payloadType), payloadType, len(payload)), payload...)
}
