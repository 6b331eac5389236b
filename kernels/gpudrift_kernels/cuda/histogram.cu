// Histogram of many columns over the cells of their plans, in one launch.
//
//     grid      x: blocks that share the rows of a column         y: columns
//
//     values    [ 16 B | 16 B | 16 B | ... ]   thread i loads the i-th 16 bytes, LOADS of them in flight
//                  |      t -> |t| + 1 -> bits -> cell -> + cuts                  (registers)
//     table     [ counters of a window of cells | outside | 3 specials ]   one atomic a value   (shared, one a block)
//     counts    [ 64 bits a counter ]   the table at the end, and at once what lies outside the window   (global)
//
// A hot loop has no branch: a value without a counter of its own (NaN, infinite, outside the window) adds to "outside",
// which nobody reads, and is counted after the loads that it came with.
//
// Who may race: the threads of a block on its table, blocks and launches on counts; both only ever add, atomically.
// A counter of the table has 32 bits: a launch must see fewer than 2**32 rows of a column, and the host sees to it.
// Equal cells within a warp cost one access, not 32: ptxas turns the increment into ATOMS.POPC.INC, and a test holds
// it to that. Row weights would be a second array of values here, and sums beside the counters.
//
// Shared memory: 4 * (window + 4) bytes, asked for at launch. THREADS, BLOCKS, LOADS and GROUP are set by tuning.py.
// Compile with --fmad=false: the scale is a power of two, so fused and separate forms round alike, and so they must.
// And never with -ftz=true: subnormal float32 are values, which have cells and signs.
//
// All but the kernel's frame is plain C++: a test compiles it for the host, where threads run one after the other, and
// holds its rule and its counts to rules.py bit for bit.

#ifdef __CUDACC__
#define RULE __device__ __forceinline__
#else
#include <cmath>
#include <cstring>
#define RULE inline
#endif

struct Half {  // no header is needed to read one; a type of its own, or it would be taken for an integer
    unsigned short bits;
};
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
    const int* cut_table;  // for each cell from the first of the window, how many cuts lie in lower ones
    Number centre;
    Number scale;
    unsigned int n;
    unsigned int n_cuts;
    unsigned int n_index;
    int integral;
    unsigned int first_cell;  // of the window
    unsigned int window_cells;
    unsigned int window_cuts;  // cuts in these cells
    unsigned int cuts_before;  // cuts in lower ones
    // The layout of rules.py, on the upper 32 bits of |t| + 1: every shift leaves a double's lower ones behind, and the
    // bits of 1, a multiple of every shift, are taken off afterwards, within above, below and far_offset.
    int near_shift;
    int far_shift;
    int far_offset;
    int above;  // cell, from the first of the window: above + q where t >= 0,
    int below;  // below - q elsewhere
    int n_cells;
};

RULE void read(const Number& number, float& x) { x = number.f; }
RULE void read(const Number& number, double& x) { x = number.d; }
RULE void read(const Number& number, Int64& x) { x = number.i; }
RULE void read(const Number& number, UInt64& x) { x = number.u; }

#ifdef __CUDACC__
RULE int upper_bits(float x) { return __float_as_int(x); }
RULE int upper_bits(double x) { return __double2hiint(x); }
RULE float widened(Half stored) {
    float x;
    asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(stored.bits));
    return x;
}
// One predicated add; the compiler by itself takes two instructions.
template <int STEP> RULE void add_if(unsigned int& n, bool condition) {
    asm("{ .reg .pred p; setp.ne.u32 p, %1, 0; @p add.u32 %0, %0, %2; }" : "+r"(n) : "r"(condition ? 1U : 0U), "n"(STEP));
}
// One more in shared memory.
RULE void increment(unsigned int address) { asm volatile("red.shared.add.u32 [%0], 1;" ::"r"(address) : "memory"); }
// Counts lie in global memory, which the compiler cannot know of a pointer that it reads from there.
RULE void add_to(UInt64* counter, UInt64 rows) {
    asm volatile("red.global.add.u64 [%0], %1;" ::"l"(__cvta_generic_to_global(counter)), "l"(rows) : "memory");
}
#else  // increment, add_to and the places of a thread are the test's
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
RULE float widened(Half stored) {
    _Float16 x;
    std::memcpy(&x, &stored.bits, 2);
    return x;
}
template <int STEP> RULE void add_if(unsigned int& n, bool condition) { n += condition ? STEP : 0; }
#endif

// A stored value in the type of the plan, which holds all of them.
RULE void convert(Half stored, float& x) { x = widened(stored); }
RULE void convert(Half stored, double& x) { x = widened(stored); }
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
RULE int larger(int a, int b) { return a > b ? a : b; }

// Cell of t, from the first of the window; before the plan's first or behind its last where t is infinite or NaN.
template <typename Real> RULE int cell_of(Real t, const Column& column) {
    const int bits = upper_bits(absolute(t) + 1);
    const int near = bits >> column.near_shift;
    const int far = (bits >> column.far_shift) + column.far_offset;
    const int q = smaller(near, far);
    return t < 0 ? column.below - q : column.above + q;
}

// How the cuts of a plan are counted: up to COMPARED of them in registers, or searched among those of the value's cell.
const int COMPARED = 8;
const int SEARCHED = -1;
const float NOT_A_NUMBER = 0.0F / 0.0F;

// The first cut after x, between two.
template <typename Plan> RULE int search_cuts(Plan x, int low, int high, const Column& column) {
    const Plan* cuts = static_cast<const Plan*>(column.cuts);
    while (low < high) {
        const int middle = (low + high) >> 1;
        if (x >= cuts[middle]) low = middle + 1;
        else high = middle;
    }
    return low;
}

// How many of the compared cuts are at most x, added to n: bisection by selects, and an add for each answer.
template <typename Plan> RULE void add_compared(unsigned int& n, Plan x, const Plan* cut) {
    const bool four = x >= cut[3];
    const bool two = x >= (four ? cut[5] : cut[1]);
    const Plan upper = four ? cut[6] : cut[2];
    const Plan lower = four ? cut[4] : cut[0];
    const bool one = x >= (two ? upper : lower);
    add_if<4>(n, four);
    add_if<2>(n, two);
    add_if<1>(n, one);
    add_if<1>(n, x >= cut[7]);
}

// What a thread knows of a column.
template <typename Plan, int CUTS, bool INTEGRAL> struct Rule {
    const Column& column;
    Plan centre;
    typename Work<Plan>::type scale;
    Plan compared[CUTS > 0 ? CUTS : 1];

    RULE explicit Rule(const Column& of) : column(of) {
        read(column.centre, centre);
        read(column.scale, scale);
        if constexpr (CUTS > 0) {
            const Plan* cuts = static_cast<const Plan*>(column.cuts) + column.cuts_before;
            for (unsigned int k = 0; k < CUTS; k++)  // no value reaches NaN
                compared[k] = k < column.window_cuts ? cuts[k] : static_cast<Plan>(NOT_A_NUMBER);
        }
    }

    // Counters of the window, which are the first of the shared table; then comes the one for all that is outside.
    RULE unsigned int outside() const { return column.window_cells + column.window_cuts; }

    // Place of x in the shared table.
    RULE unsigned int counter_of(Plan x) const {
        // as an unsigned number what lies before the window is behind it
        const unsigned int cell = cell_of(distance<INTEGRAL>(x, centre) * scale, column);
        if (CUTS == 0) return cell < outside() ? cell : outside();
        unsigned int counter = cell;
        if (CUTS == COMPARED) {
            add_compared(counter, x, compared);
        } else {
            const unsigned int inside = cell < column.window_cells ? cell : column.window_cells - 1;
            const int* lower = column.cut_table + inside;
            counter += search_cuts(x, lower[0], lower[1], column) - column.cuts_before;
        }
        return cell < column.window_cells ? counter : outside();
    }

    // Index of any finite x; one so far away that t is infinite is in the last cell on its side.
    RULE unsigned int index_of(Plan x) const {
        const int cell = cell_of(distance<INTEGRAL>(x, centre) * scale, column) + static_cast<int>(column.first_cell);
        return larger(smaller(cell, column.n_cells - 1), 0) + search_cuts(x, 0, column.n_cuts, column);
    }
};

const int SPECIALS = 3;

// Place of a value that is not finite among the specials, as in rules.py; -1 for any other.
template <typename Plan> RULE int special_of(Plan x) {
    if (x - x == 0) return -1;
    return x != x ? 0 : x > 0 ? 1 : 2;
}
RULE int special_of(Int64) { return -1; }
RULE int special_of(UInt64) { return -1; }

// A block's share of one column; the address of the table is one of shared memory.
template <typename Stored, typename Plan, int CUTS, bool INTEGRAL>
RULE void count_column(const Column& column, unsigned int table) {
    const int PER_LOAD = 16 / sizeof(Stored);
    const Rule<Plan, CUTS, INTEGRAL> rule(column);
    const unsigned int outside = rule.outside();

    auto add = [&](Stored stored) {
        Plan x;
        convert(stored, x);
        const unsigned int counter = rule.counter_of(x);
        increment(table + 4 * counter);
        return counter;
    };
    auto add_outside = [&](Stored stored) {
        Plan x;
        convert(stored, x);
        if (const int special = special_of(x); special >= 0) increment(table + 4 * (outside + 1 + special));
        else add_to(&column.counts[rule.index_of(x)], 1);
    };

    const Stored* values = static_cast<const Stored*>(column.values);
    const unsigned int to_boundary = ((0 - reinterpret_cast<UInt64>(values)) & 15) / sizeof(Stored);
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
        for (int first = 0; first < LOADS * PER_LOAD; first += GROUP) {
            unsigned int counters[GROUP], highest = 0;
#pragma unroll
            for (int j = 0; j < GROUP; j++) {
                counters[j] = add(reinterpret_cast<const Stored*>(&held[(first + j) / PER_LOAD])[(first + j) % PER_LOAD]);
                highest = highest > counters[j] ? highest : counters[j];
            }
            if (highest == outside) {
                unsigned int left = 0;
#pragma unroll
                for (int j = 0; j < GROUP; j++) left |= (counters[j] == outside ? 1U : 0U) << j;
                for (; left; left &= left - 1) {
                    const unsigned int j = first + __ffs(left) - 1;
                    add_outside(values[head + (i + j / PER_LOAD * stride) * PER_LOAD + j % PER_LOAD]);
                }
            }
        }
    }
    // The loads of a last round that is not full, and the rows before the first boundary of 16 bytes and after the last.
    auto add_one = [&](Stored stored) {
        if (add(stored) == outside) add_outside(stored);
    };
    for (; i < n_loads; i += stride) {
#pragma unroll 1
        for (int j = 0; j < PER_LOAD; j++) add_one(values[head + i * PER_LOAD + j]);
    }
    if (blockIdx.x == 0 && threadIdx.x < head) add_one(values[threadIdx.x]);
    const unsigned int tail = head + n_loads * PER_LOAD + threadIdx.x;
    if (blockIdx.x == 0 && tail < column.n) add_one(values[tail]);
}

template <int CUTS> RULE void count_with(const Column& column, unsigned int table) {
    if constexpr (REAL<PLAN>) {
        if (column.integral) return count_column<STORED, PLAN, CUTS, true>(column, table);
    }
    count_column<STORED, PLAN, CUTS, false>(column, table);
}

RULE void count_rows(const Column& column, unsigned int table) {
    if (column.cut_table) count_with<SEARCHED>(column, table);
    else if (REAL<PLAN> && column.n_cuts) count_with<REAL<PLAN> ? COMPARED : 0>(column, table);
    else count_with<0>(column, table);
}

RULE void clear(const Column& column, unsigned int* table) {
    const unsigned int held = column.window_cells + column.window_cuts + 1 + SPECIALS;
    for (unsigned int i = threadIdx.x; i < held; i += THREADS) table[i] = 0;
}

RULE void flush(const Column& column, const unsigned int* table) {
    const unsigned int outside = column.window_cells + column.window_cuts;
    const unsigned int first = column.first_cell + column.cuts_before;
    for (unsigned int i = threadIdx.x; i < outside + 1 + SPECIALS; i += THREADS) {
        const unsigned int index = i < outside ? first + i : column.n_index + i - outside - 1;
        if (table[i] && i != outside) add_to(&column.counts[index], table[i]);
    }
}

#ifdef __CUDACC__
extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS) histogram(const Column* columns) {
    extern __shared__ unsigned int table[];
    const Column column = columns[blockIdx.y];
    clear(column, table);
    __syncthreads();
    unsigned int address = static_cast<unsigned int>(__cvta_generic_to_shared(table));
    asm volatile("" : "+r"(address));  // or the compiler works it out anew for every value
    count_rows(column, address);
    __syncthreads();
    flush(column, table);
}
#endif
