// histogram.cu on the host, for one pair of dtypes: -DSTORED=... -DPLAN=... and the launch numbers. Threads of a block
// run one after the other, blocks too.
struct Place {
    unsigned int x, y;
};
static Place blockIdx, threadIdx, gridDim;
struct uint4 {
    unsigned int x, y, z, w;
};
static inline uint4 __ldcs(const uint4* address) { return *address; }
static inline unsigned int __ffs(unsigned int bits) { return static_cast<unsigned int>(__builtin_ffs(static_cast<int>(bits))); }
static unsigned int shared[1 << 16];
static inline void increment(unsigned int address) { shared[address / 4]++; }
static inline void add_to(unsigned long long* counter, unsigned long long rows) { *counter += rows; }

#include "histogram.cu"

// As the kernel does: by the shared table, else after a second look.
template <typename Plan, int CUTS, bool INTEGRAL> static unsigned int index_of(Plan x, const Column& column) {
    const Rule<Plan, CUTS, INTEGRAL> rule(column);
    const unsigned int counter = rule.counter_of(x);
    if (counter != rule.outside()) return column.first_cell + column.cuts_before + counter;
    const int special = special_of(x);
    return special >= 0 ? column.n_index + static_cast<unsigned int>(special) : rule.index_of(x);
}

template <typename Plan> static unsigned int any_index_of(Plan x, const Column& column) {
    if constexpr (REAL<Plan>) {
        if (column.cut_table && column.integral) return index_of<Plan, SEARCHED, true>(x, column);
        if (column.n_cuts && column.integral) return index_of<Plan, COMPARED, true>(x, column);
        if (column.integral) return index_of<Plan, 0, true>(x, column);
        if (column.n_cuts && !column.cut_table) return index_of<Plan, COMPARED, false>(x, column);
    }
    return column.cut_table ? index_of<Plan, SEARCHED, false>(x, column) : index_of<Plan, 0, false>(x, column);
}

template <typename Plan> static Plan widened_to(STORED stored) {
    Plan x;
    convert(stored, x);
    return x;
}

// The index of every value of a column.
extern "C" void indices(const Column* column, unsigned int* out) {
    const STORED* values = static_cast<const STORED*>(column->values);
    for (unsigned int i = 0; i < column->n; i++) out[i] = any_index_of(widened_to<PLAN>(values[i]), *column);
}

// The kernel, launched on a grid.
extern "C" void histogram(const Column* columns, unsigned int blocks, unsigned int n_columns) {
    gridDim = {blocks, n_columns};
    for (blockIdx.y = 0; blockIdx.y < n_columns; blockIdx.y++) {
        const Column& column = columns[blockIdx.y];
        for (blockIdx.x = 0; blockIdx.x < blocks; blockIdx.x++) {
            for (threadIdx.x = 0; threadIdx.x < THREADS; threadIdx.x++) clear(column, shared);
            for (threadIdx.x = 0; threadIdx.x < THREADS; threadIdx.x++) count_rows(column, 0);
            for (threadIdx.x = 0; threadIdx.x < THREADS; threadIdx.x++) flush(column, shared);
        }
    }
}

extern "C" unsigned long column_bytes() { return sizeof(Column); }
