// Runs programs on one cluster and says when each op issues, releases its sources, changes the buffer and is done.
//
//   cluster_tb LANES BEAT_ELEMENTS BANK_READ_LATENCY INPUT
//
// INPUT, all numbers hexadecimal and separated by white space, per program:
//   rows, then LANES elements per row: the buffer at the start;
//   ops, then per op:
//     kind groups passes row_a row_b row_z elements elements_last scalar exponent
//     barrier                       whether it waits until the cycle after everything before is done
//     first_row rows                of the buffer, printed when the op is done
//     watched row element           whether to find the cycle in which this element changes
//     n, n ops it reads or overwrites results of;  n, n ops whose sources it overwrites
//     n, n beats of BEAT_ELEMENTS elements of A
// This bench stands for the machine's sequencer (an op is presented as soon as its operands allow) and for the bank.
//
// Output per program: `program`, then in any order
//   op ID ISSUE RELEASE DONE CHANGED    (CHANGED: 0 if not watched or not changed)
//   partial ID CYCLE BITS               (a sum of dot at the input of the partition network)
//   rows ID ELEMENTS...                 (hexadecimal)

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <map>
#include <vector>

#include "Vcluster_tb.h"
#include "Vcluster_tb__Dpi.h"
#include "svdpi.h"
#include "verilated.h"

using Elements = std::vector<uint16_t>;

struct Op {
    uint32_t kind, groups, passes, row_a, row_b, row_z, elements, elements_last, scalar, exponent, barrier;
    uint32_t first_row, rows, watched, watched_row, watched_element;
    std::vector<uint32_t> after_done, after_release;
    std::vector<Elements> beats;
    uint32_t value_at_issue = 0;
    // Cycles from 1; 0: not yet.
    uint64_t issue = 0, release = 0, done = 0, changed = 0;
};

static uint32_t number(std::ifstream& in) {
    uint32_t n;
    if (!(in >> std::hex >> n)) {
        std::fprintf(stderr, "the input ends early or has something that is no number\n");
        std::exit(1);
    }
    return n;
}

static std::vector<uint32_t> list(std::ifstream& in) {
    std::vector<uint32_t> numbers(number(in));
    for (uint32_t& n : numbers) n = number(in);
    return numbers;
}

static Elements elements(std::ifstream& in, size_t count) {
    Elements values(count);
    for (uint16_t& value : values) value = static_cast<uint16_t>(number(in));
    return values;
}

// Ports of up to 64 bits are integers, wider ones arrays of 32-bit words.
template <typename Port>
static void drive(Port& port, const Elements& values) {
    port = 0;
    for (size_t i = 0; i < values.size(); ++i) port |= static_cast<Port>(static_cast<Port>(values[i]) << (16 * i));
}

template <std::size_t Words>
static void drive(VlWide<Words>& port, const Elements& values) {
    for (size_t i = 0; i < Words; ++i) port[i] = 0;
    for (size_t i = 0; i < values.size(); ++i) port[i / 2] |= static_cast<uint32_t>(values[i]) << (16 * (i % 2));
}

class Bench {
  public:
    Bench(size_t lanes, size_t beat_elements, size_t bank_latency)
        : lanes_{lanes}, beat_elements_{beat_elements}, bank_latency_{bank_latency}, top_{&context_} {}

    void run(std::ifstream& in) {
        std::printf("program\n");
        reset();
        const uint32_t rows = number(in);
        for (uint32_t row = 0; row < rows; ++row) {
            top_.fill_valid_i = 1;
            top_.fill_row_i = row;
            drive(top_.fill_data_i, elements(in, lanes_));
            step();
        }
        top_.fill_valid_i = 0;
        for (int i = 0; i < 16; ++i) step();  // longer than any write takes here
        read_ops(in);
        cycle_ = 1;
        last_event_ = 1;
        while (finished_ < ops_.size()) run_cycle();
        for (size_t id = 0; id < ops_.size(); ++id) {
            const Op& op = ops_[id];
            std::printf("op %zu %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", id, op.issue, op.release, op.done, op.changed);
        }
    }

  private:
    void reset() {
        ops_.clear();
        bank_.clear();
        arriving_.clear();
        next_ = finished_ = 0;
        last_done_ = 0;
        top_.op_valid_i = 0;
        top_.fill_valid_i = 0;
        top_.rst_ni = 0;
        step();
        step();
        top_.rst_ni = 1;
        step();
    }

    void read_ops(std::ifstream& in) {
        ops_.resize(number(in));
        for (Op& op : ops_) {
            for (uint32_t* field : {&op.kind, &op.groups, &op.passes, &op.row_a, &op.row_b, &op.row_z, &op.elements,
                                    &op.elements_last, &op.scalar, &op.exponent, &op.barrier, &op.first_row, &op.rows,
                                    &op.watched, &op.watched_row, &op.watched_element}) {
                *field = number(in);
            }
            op.after_done = list(in);
            op.after_release = list(in);
            op.beats.resize(number(in));
            for (Elements& beat : op.beats) beat = elements(in, beat_elements_);
        }
    }

    // One rising edge; afterwards the registers show the next cycle.
    void step() {
        top_.clk_i = 0;
        top_.eval();
        top_.clk_i = 1;
        top_.eval();
    }

    void run_cycle() {
        observe();
        present();
        const auto beat = arriving_.find(cycle_);
        // Nothing may depend on the bank's port when it was not asked: it shows NaN then.
        drive(top_.beat_i, beat != arriving_.end() ? beat->second : Elements(beat_elements_, 0x7e01));
        top_.clk_i = 0;
        top_.eval();
        if (top_.op_valid_i && top_.op_ready_o) issue();
        if (top_.beat_request_o) {
            if (bank_.empty()) fail("the cluster asks for a beat of A that there is not");
            arriving_[cycle_ + bank_latency_] = bank_.front();
            bank_.pop_front();
        }
        if (top_.partial_valid_o) {
            std::printf("partial %u %" PRIu64 " %x\n", top_.partial_id_o, cycle_, top_.partial_o);
        }
        top_.clk_i = 1;
        top_.eval();
        ++cycle_;
        if (cycle_ - last_event_ > 100000) fail("nothing issued and nothing was done for 100000 cycles");
    }

    void observe() {
        for (int i = 0; i < 2; ++i) {
            if (top_.release_valid_o >> i & 1) ops_.at(top_.release_id_o >> (16 * i) & 0xffff).release = cycle_;
            if (top_.done_valid_o >> i & 1) finish(top_.done_id_o >> (16 * i) & 0xffff);
        }
        for (size_t id = 0; id < next_; ++id) {
            Op& op = ops_[id];
            if (op.watched && op.changed == 0 && peek(op.watched_row, op.watched_element) != op.value_at_issue) {
                op.changed = cycle_;
            }
        }
    }

    void finish(uint32_t id) {
        Op& op = ops_.at(id);
        op.done = last_done_ = last_event_ = cycle_;
        ++finished_;
        if (op.rows == 0) return;
        std::printf("rows %u", id);
        for (uint32_t row = op.first_row; row < op.first_row + op.rows; ++row) {
            for (size_t element = 0; element < lanes_; ++element) std::printf(" %x", peek(row, element));
        }
        std::printf("\n");
    }

    bool is_ready(const Op& op) const {
        for (const uint32_t id : op.after_done) {
            if (ops_[id].done == 0) return false;
        }
        for (const uint32_t id : op.after_release) {
            if (ops_[id].release == 0) return false;
        }
        return !op.barrier || (finished_ == next_ && cycle_ > last_done_);
    }

    void present() {
        top_.op_valid_i = next_ < ops_.size() && is_ready(ops_[next_]);
        if (!top_.op_valid_i) return;
        const Op& op = ops_[next_];
        top_.id_i = next_;
        top_.kind_i = op.kind;
        top_.groups_i = op.groups;
        top_.passes_i = op.passes;
        top_.row_a_i = op.row_a;
        top_.row_b_i = op.row_b;
        top_.row_z_i = op.row_z;
        top_.elements_i = op.elements;
        top_.elements_last_i = op.elements_last;
        top_.scalar_i = op.scalar;
        top_.exponent_i = op.exponent;
    }

    void issue() {
        Op& op = ops_[next_++];
        op.issue = last_event_ = cycle_;
        if (op.watched) op.value_at_issue = peek(op.watched_row, op.watched_element);
        for (Elements& beat : op.beats) bank_.push_back(std::move(beat));
    }

    [[noreturn]] void fail(const char* message) {
        std::fprintf(stderr, "cycle %" PRIu64 ": %s\n", cycle_, message);
        std::exit(1);
    }

    const size_t lanes_, beat_elements_, bank_latency_;
    VerilatedContext context_;
    Vcluster_tb top_;
    std::vector<Op> ops_;
    std::deque<Elements> bank_;
    std::map<uint64_t, Elements> arriving_;
    size_t next_ = 0, finished_ = 0;
    uint64_t cycle_ = 1, last_done_ = 0, last_event_ = 0;
};

int main(int argc, char** argv) {
    if (argc != 5) {
        std::fprintf(stderr, "usage: cluster_tb LANES BEAT_ELEMENTS BANK_READ_LATENCY INPUT\n");
        return 2;
    }
    std::ifstream in{argv[4]};
    if (!in) {
        std::perror(argv[4]);
        return 1;
    }
    Bench bench{std::strtoul(argv[1], nullptr, 10), std::strtoul(argv[2], nullptr, 10), std::strtoul(argv[3], nullptr, 10)};
    svSetScope(svGetScopeFromName("TOP.cluster_tb"));
    while (in >> std::ws && !in.eof()) bench.run(in);
    return 0;
}
