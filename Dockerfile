# syntax=docker/dockerfile:1
#   docker build --target cpu -t gpudrift:cpu .
#   docker run --rm -v "$PWD:/data" gpudrift:cpu check --reference train.parquet --current today.parquet
#     (add --user "$(id -u)" for --json and --html to be written into a folder of your own)
#   docker build --target cuda -t gpudrift:cuda .
#   docker run --rm --gpus all -v "$PWD:/data" gpudrift:cuda doctor

FROM python:3.12-slim AS wheel
WORKDIR /src
RUN pip install --no-cache-dir build
COPY . .
RUN python -m build --wheel --outdir /wheels

# The CUDA libraries come as wheels and the driver from the host, so the base is the same. Not yet run on a GPU.
FROM python:3.12-slim AS cuda
COPY --from=wheel /wheels /wheels
RUN pip install --no-cache-dir "$(echo /wheels/*.whl)[gpu]" \
 && rm -r /wheels \
 && useradd --create-home gpudrift \
 && install -d -m 1777 /var/cache/numba /var/cache/cupy /data
ENV NUMBA_CACHE_DIR=/var/cache/numba \
    CUPY_CACHE_DIR=/var/cache/cupy \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER gpudrift
WORKDIR /data
ENTRYPOINT ["gpudrift"]
CMD ["--help"]

FROM python:3.12-slim AS cpu
COPY --from=wheel /wheels /wheels
COPY constraints-cpu.txt /wheels/
RUN pip install --no-cache-dir -c /wheels/constraints-cpu.txt /wheels/*.whl \
 && rm -r /wheels \
 && useradd --create-home gpudrift \
 && install -d -m 1777 /var/cache/numba /data
# Site-packages belongs to root, so compiled kernels are kept here, whoever --user is; mount a volume to keep them
# between runs.
ENV NUMBA_CACHE_DIR=/var/cache/numba
USER gpudrift
WORKDIR /data
ENTRYPOINT ["gpudrift"]
CMD ["--help"]
