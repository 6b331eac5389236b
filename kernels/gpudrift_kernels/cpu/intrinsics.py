"""Machine instructions that Numba has no function for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

#: Numba's own, whose types it does not tell.
carray = cast("Any", numba).carray
_pointer = cast("Any", types).CPointer
_BITS: dict[Any, Any] = {types.float32: types.int32, types.float64: types.int64}
_CACHE_LINE = 64
_FLOATS = {bits: float_type for float_type, bits in _BITS.items()}


def _instruction(generator: Callable[..., Any]) -> Callable[..., Any]:
    """Called by compiled code with the last arguments alone."""
    return cast("Callable[..., Any]", intrinsic(generator))


def _reinterpret(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
    return builder.bitcast(arguments[0], context.get_value_type(signature.return_type))


@_instruction
def bits_of(typing: Any, x: Any) -> tuple[Any, Callable[..., Any]]:
    """The bits of a float as an integer of its width: in a register, so that the loop around it is vectorised."""
    return _BITS[x](x), _reinterpret


@_instruction
def upper_bits(typing: Any, x: Any) -> tuple[Any, Callable[..., Any]]:
    """The upper 32 bits of a float."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        bits = _reinterpret(context, builder, _BITS[x](x), arguments)
        lower = ir.Constant(bits.type, bits.type.width - 32)
        return builder.trunc(builder.lshr(bits, lower), ir.IntType(32)) if lower.constant else bits

    return types.uint32(x), generate


@_instruction
def float_of(typing: Any, bits: Any) -> tuple[Any, Callable[..., Any]]:
    """The float of as many bits that an integer holds."""
    return _FLOATS[bits](bits), _reinterpret


@_instruction
def values_per_line(typing: Any, array: Any) -> tuple[Any, Callable[..., Any]]:
    """How many values of ``array`` a cache line holds, which the compiler knows."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        size = context.get_abi_sizeof(context.get_value_type(array.dtype))
        return ir.Constant(ir.IntType(64), _CACHE_LINE // size)

    return types.uint64(array), generate


@_instruction
def prefetch(typing: Any, array: Any, j: Any) -> tuple[Any, Callable[..., Any]]:
    """Ask for the cache line of ``array[j]``, which is soon to be read once; ``j`` may lie beyond the end."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        _prefetch(builder, builder.gep(data, [arguments[1]]))
        return context.get_dummy_value()

    return types.none(array, types.uint64), generate


@_instruction
def prefetch_at(typing: Any, address: Any) -> tuple[Any, Callable[..., Any]]:
    """Ask for the cache line of an address, which is soon to be read once and may be nobody's."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        _prefetch(builder, builder.inttoptr(arguments[0], ir.IntType(8).as_pointer()))
        return context.get_dummy_value()

    return types.none(types.int64), generate


def _prefetch(builder: ir.IRBuilder, pointer: Any) -> None:
    address = builder.bitcast(pointer, ir.IntType(8).as_pointer())
    i32 = ir.IntType(32)
    read, keep, as_data = (ir.Constant(i32, k) for k in (0, 3, 1))
    kind = ir.FunctionType(ir.VoidType(), [address.type, i32, i32, i32])
    function = builder.module.declare_intrinsic("llvm.prefetch", [address.type], kind)
    builder.call(function, [address, read, keep, as_data])


@_instruction
def word_at(typing: Any, address: Any) -> tuple[Any, Callable[..., Any]]:
    """The eight bytes from an address on, which need not be a multiple of eight."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        return builder.load(builder.inttoptr(arguments[0], ir.IntType(64).as_pointer()), align=1)

    return types.uint64(types.int64), generate


@_instruction
def byte_at(typing: Any, address: Any) -> tuple[Any, Callable[..., Any]]:
    """The byte at an address."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        return builder.load(builder.inttoptr(arguments[0], ir.IntType(8).as_pointer()))

    return types.uint8(types.int64), generate


@_instruction
def pointer_at(typing: Any, address: Any, like: Any) -> tuple[Any, Callable[..., Any]]:
    """An address as that of values of the dtype of an array, as ``carray`` takes it."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return _pointer(like.dtype)(types.int64, like), generate
