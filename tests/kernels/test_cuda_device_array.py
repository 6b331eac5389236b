from __future__ import annotations

from types import SimpleNamespace

import pytest

from gpudrift_kernels.cuda.driver import Device
from gpudrift_kernels.errors import DeviceError

device_array = pytest.importorskip("gpudrift_kernels.cuda.device_array")

_H100 = Device(0, "NVIDIA H100", 80 << 30, (9, 0), 132, 227 << 10, 228 << 10)


def _array(**interface: object) -> SimpleNamespace:
    return SimpleNamespace(__cuda_array_interface__={"data": (0x7F00, True), **interface})


@pytest.mark.parametrize(("holder", "place"), [(1, "device 1"), (None, "no GPU")])
def test_an_array_elsewhere_names_both_places(monkeypatch: pytest.MonkeyPatch, holder: int | None, place: str) -> None:
    monkeypatch.setattr(device_array, "device_of", lambda address: holder)
    with pytest.raises(DeviceError, match=rf"an array lies on {place} and gpudrift counts on device 0 \(NVIDIA H100\)"):
        device_array.as_numba(_array(), _H100)


def test_the_remedy_is_the_device_that_has_the_array(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_array, "device_of", lambda address: 1)
    with pytest.raises(DeviceError, match="move it there, or ask for 'cuda:1'"):
        device_array.as_numba(_array(), _H100)


@pytest.mark.parametrize(
    ("interface", "said"),
    [({"strides": (8,)}, "gaps between its values: make it contiguous"), ({"mask": object()}, "has a mask")],
)
def test_values_that_are_no_plain_run_are_refused_rather_than_miscounted(
    monkeypatch: pytest.MonkeyPatch, interface: dict[str, object], said: str
) -> None:
    monkeypatch.setattr(device_array, "device_of", lambda address: 0)
    with pytest.raises(DeviceError, match=said):
        device_array.as_numba(_array(typestr="<f4", **interface), _H100)


def test_a_read_only_array_and_explicit_strides_are_taken_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_array, "device_of", lambda address: 0)
    monkeypatch.setattr(device_array.cuda, "as_cuda_array", lambda values, sync: (values, sync), raising=False)
    array = _array(typestr="<f4", strides=(4,))
    assert device_array.as_numba(array, _H100) == (array, False)


def test_an_array_says_where_it_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_array, "device_of", lambda address: 3)
    assert device_array.ordinal_of(_array()) == 3
    assert device_array.ordinal_of(SimpleNamespace(device=SimpleNamespace(id=1))) == 1  # as CuPy, even where empty
    assert device_array.ordinal_of(SimpleNamespace(__cuda_array_interface__={"data": (0, False)})) is None


def test_a_destroyed_stream_is_refused_before_anything_is_queued(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_array, "stream_lives", lambda stream: stream != 0xDEAD)
    with pytest.raises(DeviceError, match="the stream of an array has been destroyed"):
        device_array.stream_of(_array(stream=0xDEAD))
    assert device_array.stream_of(_array(stream=0xB5)) == 0xB5


def test_the_default_streams_are_always_there() -> None:
    assert [device_array.stream_of(_array(stream=stream)) for stream in (1, 2, None)] == [1, 2, None]
    assert device_array.stream_of(_array()) is None
