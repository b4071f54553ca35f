package io.metashard.generate;

import java.util.List;

/** Objects and who asks for them. Pure: the same options give the same lists. */
sealed interface Workload permits WebWorkload, SmallLakeWorkload, LakeWorkload {
  List<DemoObject> objects();

  /** In any order; none for an object before it was there. */
  List<DemoRequest> requests();

  /** The parts that an option's workload is made of. */
  static List<Workload> of(GenerateOptions options) {
    return switch (options.workload()) {
      case GenerateOptions.WEB -> List.of(WebWorkload.site(options, 60, 1400));
      case GenerateOptions.LAKE -> List.of(new LakeWorkload(options));
      case GenerateOptions.MIXED ->
          List.of(WebWorkload.site(options, 30, 900), new SmallLakeWorkload(options));
      case GenerateOptions.SAMPLE -> List.of(WebWorkload.small(options, 5, 120));
      default -> throw new IllegalArgumentException("Cannot make " + options.workload());
    };
  }
}
