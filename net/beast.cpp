// The one translation unit that compiles Beast (BOOST_BEAST_SEPARATE_COMPILATION).
// SPDX-License-Identifier: Apache-2.0
#include <boost/beast/src.hpp>
