"""The configuration of a server, and files that start a stock one on a model."""

from __future__ import annotations

from string import Template

_MODELS = """\
model_config_list {
  config {
    name: "$name"
    base_path: "/models/$name"
    model_platform: "tensorflow"
    model_version_policy { latest { num_versions: 1 } }
  }
}
"""

_BATCHING = """\
# Requests that arrive within 2 ms of each other run together. Texts differ in length, and a server
# can not sort them by it: the graph does, and pads only texts of similar length to one length.
# No allowed_batch_sizes: a server would fill batches up with copies of a text, which cost as much.
max_batch_size { value: 32 }
batch_timeout_micros { value: 2000 }
num_batch_threads { value: 4 }        # the machine's cores
max_enqueued_batches { value: 64 }    # more requests are refused, so that clients try elsewhere
pad_variable_length_inputs: true      # for the signature "ids"
"""

_COMPOSE = """\
# docker compose up: REST on port 8501, gRPC on port 8500.
services:
  $service:
    image: tensorflow/serving
    command:
      - --model_config_file=/models/$name/models.config
      - --enable_batching
      - --batching_parameters_file=/models/$name/batching.config
    environment: {MODEL_NAME: "$name"}
    ports: ["8500:8500", "8501:8501"]
    volumes: [".:/models/$name:ro"]
    healthcheck:
      test: ["CMD", "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8501"]
      interval: 5s
"""

_KUBERNETES = """\
# kubectl apply -f kubernetes.yaml. It expects this folder as $name on the volume claim "models".
apiVersion: apps/v1
kind: Deployment
metadata: {name: $service}
spec:
  replicas: 2
  selector: {matchLabels: {app: $service}}
  template:
    metadata: {labels: {app: $service}}
    spec:
      containers:
        - name: serving
          image: tensorflow/serving
          args:
            - --model_config_file=/models/$name/models.config
            - --enable_batching
            - --batching_parameters_file=/models/$name/batching.config
          env: [{name: MODEL_NAME, value: "$name"}]
          ports: [{name: grpc, containerPort: 8500}, {name: rest, containerPort: 8501}]
          # Ready once the model is loaded and warmed up.
          readinessProbe:
            httpGet: {path: "/v1/models/$name", port: rest}
          resources: {requests: {cpu: "4", memory: 1Gi}}
          volumeMounts: [{name: models, mountPath: /models, readOnly: true}]
      volumes:
        - name: models
          persistentVolumeClaim: {claimName: models}
---
apiVersion: v1
kind: Service
metadata: {name: $service}
spec:
  selector: {app: $service}
  ports: [{name: grpc, port: 8500}, {name: rest, port: 8501}]
"""

_FILES = {
    "models.config": _MODELS,
    "batching.config": _BATCHING,
    "compose.yaml": _COMPOSE,
    "kubernetes.yaml": _KUBERNETES,
}


def files(name: str) -> dict[str, str]:
    """The content of each file, for a model of that name."""
    # Names in Kubernetes have letters, digits and hyphens alone.
    service = "".join(c if c.isascii() and c.isalnum() else "-" for c in name.lower()).strip("-")
    values = {"name": name, "service": service or "model"}
    return {file: Template(content).substitute(values) for file, content in _FILES.items()}
