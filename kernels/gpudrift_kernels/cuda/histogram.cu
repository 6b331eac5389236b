// Histogram of many columns over the cells of their plans, in one launch.
//
//     grid      x: blocks that share the rows of a column         y: columns
//
//     values    [ 16 B | 16 B | 16 B | ... ]   thread i loads the i-th 16 bytes, LOADS of them in flight
//                  |      t -> |t| + 1 -> bits -> cell -> + cuts                  (registers)
//     table     [ counters of a window of indices | 3 specials ]   one atomic a value   (shared, one a block)
//     counts    [ 64 bits a counter ]   the table at the end, and at once what lies outside the window   (global)
//
// Who may race: the threads of a block on its table, blocks and launches on counts; both only ever add, atomically.
// A counter of the table has 32 bits: a launch must see fewer than 2**32 rows of a column, and the host sees to it.
// Equal cells within a warp cost one access, not 32: ptxas turns the increment into ATOMS.POPC.INC, and a test holds
// it to that. Row weights would be a second array of values here, and sums beside the counters.
//
// Shared memory: 4 * (window + 3) bytes, asked for at launch. THREADS, BLOCKS and LOADS are set by tuning.py.
// Compile with --fmad=false: the scale is a power of two, so fused and separate forms round alike, and so they must.
//
// All but the kernels is plain C++: a test compiles it for the host and holds it to rules.py bit for bit.

#ifdef __CUDACC__
#define RULE __device__ __forceinline__
#else
#include <cmath>
#include <cstring>
#define RULE static inline
#endif

typedef unsigned short Half;  // its bits: no header is needed to read one
typedef long long Int64;
typedef unsigned long long UInt64;

// The type that a plan computes in.
template <typename Plan> struct Work { typedef double type; };
template <> struct Work<float> { typedef float type; };

// Whether a plan is of floats, which may be counted as whole numbers, and whose cuts may be filled up with NaN.
template <typename Plan> constexpr bool REAL = false;
template <> constexpr bool REAL<float> = true;
template <> constexpr bool REAL<double> = true;

union Number {
    float f;
    double d;
    Int64 i;
    UInt64 u;
};

// One column of a launch; staging.py lays out the same record. Numbers are in the type of the plan.
struct Column {
    const void* values;
    UInt64* counts;        // of each index, then of missing, +infinity, -infinity
    const void* cuts;      // ascending
    const int* cut_table;  // for each cell, how many cuts lie in lower ones
    Number centre;
    Number scale;
    unsigned int n;
    unsigned int n_cuts;
    unsigned int n_index;
    int integral;
    unsigned int window_first;  // index of the first counter in the shared table
    unsigned int window;        // counters there, less the specials
    // The layout of rules.py, in the upper 32 bits of t: every shift leaves a double's lower ones behind.
    int bits_of_one;
    int infinity;    // less bits_of_one
    int near_shift;
    int far_shift;
    int far_offset;  // near_cells - (near_limit >> far_shift): the limit is a multiple of that shift
    int last;
    int half;
    int unused;
};

RULE void read(const Number& number, float& x) { x = number.f; }
RULE void read(const Number& number, double& x) { x = number.d; }
RULE void read(const Number& number, Int64& x) { x = number.i; }
RULE void read(const Number& number, UInt64& x) { x = number.u; }

#ifdef __CUDACC__
RULE int upper_bits(float x) { return __float_as_int(x); }
RULE int upper_bits(double x) { return __double2hiint(x); }
RULE float widened(Half bits) {
    float x;
    asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(bits));
    return x;
}
#else
RULE int upper_bits(float x) {
    int bits;
    std::memcpy(&bits, &x, 4);
    return bits;
}
RULE int upper_bits(double x) {
    Int64 bits;
    std::memcpy(&bits, &x, 8);
    return static_cast<int>(bits >> 32);
}
RULE float widened(Half bits) {
    _Float16 x;
    std::memcpy(&x, &bits, 2);
    return x;
}
#endif

// A stored value in the type of the plan, which holds all of them.
RULE void convert(Half stored, float& x) { x = widened(stored); }
template <typename Stored, typename Plan> RULE void convert(Stored stored, Plan& x) { x = static_cast<Plan>(stored); }

RULE float double_of(float x) { return floorf(x) + ceilf(x); }
RULE double double_of(double x) { return floor(x) + ceil(x); }

template <bool INTEGRAL> RULE float distance(float x, float centre) {
    return (INTEGRAL ? double_of(x) : x) - centre;
}
template <bool INTEGRAL> RULE double distance(double x, double centre) {
    return (INTEGRAL ? double_of(x) : x) - centre;
}
// Modulo 2**64, exact on the side where it is not negative.
template <bool INTEGRAL> RULE double distance(UInt64 x, UInt64 centre) {
    return x < centre ? -static_cast<double>(centre - x) : static_cast<double>(x - centre);
}
template <bool INTEGRAL> RULE double distance(Int64 x, Int64 centre) {
    const UInt64 a = static_cast<UInt64>(x), b = static_cast<UInt64>(centre);
    return x < centre ? -static_cast<double>(b - a) : static_cast<double>(a - b);
}

RULE float absolute(float t) { return fabsf(t); }
RULE double absolute(double t) { return fabs(t); }
RULE int smaller(int a, int b) { return a < b ? a : b; }

// Bits of |t| + 1 less those of 1; at least `infinity` where t is infinite or NaN.
template <typename Real> RULE int bits_of(Real t, const Column& column) {
    return upper_bits(absolute(t) + 1) - column.bits_of_one;
}

// Cells from the first one above the centre to that of a finite value; any for the others.
template <typename Real> RULE int steps_of(Real t, int bits, const Column& column) {
    const int near = bits >> column.near_shift;
    const int far = (bits >> column.far_shift) + column.far_offset;
    const int q = smaller(smaller(near, far), column.last);
    return t < 0 ? ~q : q;
}

// How the cuts of a plan are counted: COMPARED of them in registers, missing ones NaN, or searched among its cell's.
const int COMPARED = 8;
const int SEARCHED = -1;

template <typename Plan> RULE int search_cuts(Plan x, int cell, const Column& column) {
    const Plan* cuts = static_cast<const Plan*>(column.cuts);
    int low = column.cut_table[cell], high = column.cut_table[cell + 1];
    while (low < high) {
        const int middle = (low + high) >> 1;
        if (x >= cuts[middle]) low = middle + 1;
        else high = middle;
    }
    return low;
}

// How many of the compared cuts are at most x: bisection by selects, half of what comparing each would take.
template <typename Plan> RULE int compare_cuts(Plan x, const Plan* cut) {
    const bool four = x >= cut[3];
    const bool two = x >= (four ? cut[5] : cut[1]);
    const Plan upper = four ? cut[6] : cut[2];
    const Plan lower = four ? cut[4] : cut[0];
    const bool one = x >= (two ? upper : lower);
    return (four ? 4 : 0) + (two ? 2 : 0) + (one ? 1 : 0) + (x >= cut[7] ? 1 : 0);
}

template <int CUTS, typename Plan> RULE int cuts_below(Plan x, int steps, const Plan* compared, const Column& column) {
    if (CUTS == SEARCHED) return search_cuts(x, column.half + steps, column);
    return CUTS == COMPARED ? compare_cuts(x, compared) : 0;
}

const int SPECIALS = 3;

// Place of a value that is not finite among the specials, as in rules.py; -1 for any other.
template <typename Plan> RULE int special_of(Plan x) {
    if (x - x == 0) return -1;
    return x != x ? 0 : x > 0 ? 1 : 2;
}
RULE int special_of(Int64) { return -1; }
RULE int special_of(UInt64) { return -1; }

#ifdef __CUDACC__

// Counts lie in global memory, which the compiler cannot know of a pointer that it reads from there.
RULE void add_to(UInt64* counter, UInt64 rows) {
    asm volatile("red.global.add.u64 [%0], %1;" ::"l"(__cvta_generic_to_global(counter)), "l"(rows) : "memory");
}

// A block's share of one column.
template <typename Stored, typename Plan, int CUTS, bool INTEGRAL>
__device__ __forceinline__ void count_column(const Column& column, unsigned int* table) {
    typedef typename Work<Plan>::type Real;
    const int PER_LOAD = 16 / sizeof(Stored);
    Plan centre;
    Real scale;
    Plan compared[COMPARED];
    read(column.centre, centre);
    read(column.scale, scale);
    if (CUTS > 0)
        for (int k = 0; k < CUTS; k++) compared[k] = static_cast<const Plan*>(column.cuts)[k];

    auto add = [&](Stored stored) {
        Plan x;
        convert(stored, x);
        const Real t = distance<INTEGRAL>(x, centre) * scale;
        const int bits = bits_of(t, column);
        const int steps = steps_of(t, bits, column);
        const unsigned int slot = column.half - column.window_first + steps + cuts_below<CUTS>(x, steps, compared, column);
        if (slot < column.window && bits < column.infinity) {
            atomicAdd(&table[slot], 1U);
        } else if (const int special = special_of(x); special >= 0) {
            atomicAdd(&table[column.window + special], 1U);
        } else if (slot < column.window) {  // finite, and so far from the centre that t is not
            atomicAdd(&table[slot], 1U);
        } else {
            add_to(&column.counts[column.window_first + slot], 1);
        }
    };

    const Stored* values = static_cast<const Stored*>(column.values);
    const unsigned int to_boundary = (0 - reinterpret_cast<UInt64>(values) & 15) / sizeof(Stored);
    const unsigned int head = to_boundary < column.n ? to_boundary : column.n;
    const unsigned int n_loads = (column.n - head) / PER_LOAD;
    const uint4* loads = reinterpret_cast<const uint4*>(values + head);
    const unsigned int stride = gridDim.x * THREADS;

    unsigned int i = blockIdx.x * THREADS + threadIdx.x;
    for (; i + (LOADS - 1) * stride < n_loads; i += LOADS * stride) {
        uint4 held[LOADS];
#pragma unroll
        for (int k = 0; k < LOADS; k++) held[k] = __ldcs(&loads[i + k * stride]);
#pragma unroll
        for (int k = 0; k < LOADS; k++)
#pragma unroll
            for (int j = 0; j < PER_LOAD; j++) add(reinterpret_cast<const Stored*>(&held[k])[j]);
    }
    for (; i < n_loads; i += stride) {
#pragma unroll 1
        for (int j = 0; j < PER_LOAD; j++) add(values[head + i * PER_LOAD + j]);
    }
    // The rows before the first boundary of 16 bytes and after the last: fewer than 16 on either side.
    if (blockIdx.x == 0 && threadIdx.x < head) add(values[threadIdx.x]);
    const unsigned int tail = head + n_loads * PER_LOAD + threadIdx.x;
    if (blockIdx.x == 0 && tail < column.n) add(values[tail]);
}

template <int CUTS> __device__ __forceinline__ void count_with(const Column& column, unsigned int* table) {
    if constexpr (REAL<PLAN>) {
        if (column.integral) return count_column<STORED, PLAN, CUTS, true>(column, table);
    }
    count_column<STORED, PLAN, CUTS, false>(column, table);
}

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS) histogram(const Column* columns) {
    extern __shared__ unsigned int table[];
    const Column column = columns[blockIdx.y];
    const unsigned int held = column.window + SPECIALS;
    for (unsigned int i = threadIdx.x; i < held; i += THREADS) table[i] = 0;
    __syncthreads();
    if (column.cut_table) count_with<SEARCHED>(column, table);
    else if (REAL<PLAN> && column.n_cuts) count_with<REAL<PLAN> ? COMPARED : 0>(column, table);
    else count_with<0>(column, table);
    __syncthreads();
    for (unsigned int i = threadIdx.x; i < held; i += THREADS) {
        const unsigned int index = i < column.window ? column.window_first + i : column.n_index + i - column.window;
        if (table[i]) add_to(&column.counts[index], table[i]);
    }
}

#endif
