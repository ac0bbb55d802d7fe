// HdrHistogram's Java library, the reference implementation, on the other side of the exchange. Reads one base64
// histogram per line from the file named by the first argument and says what it sees; then makes histograms of its
// own and prints them with what it knows about them. One line each:
//   name base64 total p50 p90 p99 p99.9 p100 lower:upper:count,...
// SPDX-License-Identifier: Apache-2.0
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.SplittableRandom;
import java.util.StringJoiner;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramIterationValue;

class HdrJavaTest {
  public static void main(String[] arguments) throws Exception {
    int line = 0;
    for (String text : Files.readAllLines(Path.of(arguments[0]))) {
      ByteBuffer bytes = ByteBuffer.wrap(Base64.getDecoder().decode(text));
      describe("read" + line++, Histogram.decodeFromCompressedByteBuffer(bytes, 0));
    }
    describe("empty", new Histogram(1, 3_600_000_000_000L, 3));
    for (int digits = 1; digits <= 5; ++digits) {
      Histogram histogram = new Histogram(1000, 3_600_000_000_000L, digits);
      fill(histogram, digits);
      describe("digits" + digits, histogram);
    }
    Histogram growing = new Histogram(3);  // Resizes itself: its range is what it has seen.
    fill(growing, 99);
    describe("growing", growing);
    Histogram large = new Histogram(1, 3_600_000_000_000L, 3);
    for (int bits = 0; bits < 62; ++bits) large.recordValueWithCount(1L << (bits % 40), 1L << (bits % 47));
    describe("large", large);
  }

  private static void fill(Histogram histogram, int seed) {
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < 20_000; ++i) histogram.recordValue((long) Math.exp(random.nextDouble() * 28));
  }

  private static void describe(String name, Histogram histogram) {
    ByteBuffer bytes = ByteBuffer.allocate(histogram.getNeededByteBufferCapacity() + 1024);
    int size = histogram.encodeIntoCompressedByteBuffer(bytes);
    StringJoiner line = new StringJoiner(" ");
    line.add(name).add(Base64.getEncoder().encodeToString(java.util.Arrays.copyOf(bytes.array(), size)));
    line.add(Long.toString(histogram.getTotalCount()));
    for (double percentile : new double[] {50, 90, 99, 99.9, 100}) {
      line.add(Long.toString(histogram.getValueAtPercentile(percentile)));
    }
    StringJoiner buckets = new StringJoiner(",", ",", "");
    for (HistogramIterationValue at : histogram.recordedValues()) {
      long value = at.getValueIteratedTo();
      buckets.add(histogram.lowestEquivalentValue(value) + ":" + histogram.highestEquivalentValue(value) + ":"
          + at.getCountAddedInThisIterationStep());
    }
    System.out.println(line.add(buckets.toString()));
  }
}
